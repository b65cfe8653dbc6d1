"""Decoded pictures, as many as the memory budget holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from ml.mammo.mammogram import Mammogram
    from viewer.display.picture import Picture

Key = tuple[tuple[str, bool], int]


def key_of(image: Mammogram, frame: int) -> Key:
    """Names a picture; a synthetic image is never shown for a real one of the same UID."""
    return (image.key, frame)


class PictureCache:
    """Keep pictures by image and frame; let the longest unused go first.

    Parameters
    ----------
    budget_bytes
        What the pictures may take together. Pinned ones (those on the screen) stay even where
        they alone are more.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._pictures: OrderedDict[Key, Picture] = OrderedDict()
        self._pinned: frozenset[Key] = frozenset()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Picture | None:
        """A picture, now the most recently used; None where it is not kept."""
        with self._lock:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
            return picture

    def put(self, picture: Picture) -> None:
        """Keep a picture in place of a preview of it; a preview never replaces a picture."""
        key = key_of(picture.mammogram, picture.frame)
        with self._lock:
            kept = self._pictures.get(key)
            if kept is not None and picture.preview and not kept.preview:
                return
            self._pictures[key] = picture
            self._pictures.move_to_end(key)
            self._shrink(keep=key)

    def pin(self, keys: Collection[Key]) -> None:
        """Say which pictures are on the screen."""
        with self._lock:
            self._pinned = frozenset(keys)
            self._shrink()

    @property
    def size_bytes(self) -> int:
        """What the kept pictures take."""
        with self._lock:
            return self._size()

    def _size(self) -> int:
        return sum(picture.size_bytes for picture in self._pictures.values())

    def _shrink(self, keep: Key | None = None) -> None:
        size = self._size()
        for key in list(self._pictures):
            if size <= self.budget_bytes:
                return
            if key not in self._pinned and key != keep:
                size -= self._pictures.pop(key).size_bytes
