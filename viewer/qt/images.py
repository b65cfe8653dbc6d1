"""Decoded pictures for the canvas: asked for on the GUI thread, made on disk threads."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ml.errors import MammoError
from ml.mammo.codestream import JPEG_2000
from ml.mammo.pixels import read_pixels
from ml.texts import translate
from viewer.display.cache import PictureCache, key_of
from viewer.display.picture import Picture, make_picture
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram
    from viewer.display.cache import Key
    from viewer.qt.job_runner import JobHandle, JobRunner

_log = logging.getLogger("viewer.qt")

# JPEG 2000 decodes slowly, and gives an eighth of its size some 20 times sooner: enough to hang
# and window by until the rest is there.
PREVIEW_REDUCE = 3


class Images(QObject):
    """Pictures by image and frame.

    Signals
    -------
    arrived : Mammogram
        A picture of it can be had now: a preview or the full pixels.
    failed : (Mammogram, str)
        Its pixels cannot be shown; the sentence says why.
    """

    arrived = Signal(object)
    failed = Signal(object, str)

    def __init__(
        self, runner: JobRunner, budget_bytes: int, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.cache = PictureCache(budget_bytes)
        self._runner = runner
        self._coming: dict[Key, list[JobHandle]] = {}
        self._errors: dict[Key, str] = {}

    def picture(self, image: Mammogram, frame: int = 0) -> Picture | None:
        """What can be shown of a frame now."""
        return self.cache.get(key_of(image, frame))

    def error(self, image: Mammogram, frame: int = 0) -> str:
        """Why a frame cannot be shown; empty where nothing is wrong."""
        return self._errors.get(key_of(image, frame), "")

    def is_settled(self, image: Mammogram, frame: int = 0) -> bool:
        """Whether the full pixels are here, or never will be."""
        picture = self.picture(image, frame)
        return bool(self.error(image, frame)) or (picture is not None and not picture.preview)

    def request(self, wanted: Iterable[tuple[Mammogram, int]]) -> None:
        """Have frames decoded, in this order: all previews before the first full one."""
        missing = [(image, frame) for image, frame in wanted if self._is_missing(image, frame)]
        for image, frame in missing:
            if image.transfer_syntax_uid in JPEG_2000:
                self._submit(image, frame, PREVIEW_REDUCE)
        for image, frame in missing:
            self._submit(image, frame, 0)

    def drop_waiting(self, keep: Iterable[Mammogram] = ()) -> None:
        """Forget what was asked for and is not wanted any more."""
        kept = {image.key for image in keep}
        for key in [key for key in self._coming if key[0] not in kept]:
            for handle in self._coming.pop(key):
                handle.cancel()

    def stored_pixels(self, image: Mammogram) -> NDArray[np.generic]:
        """Full stored pixels of the first frame; may be called on any thread.

        Raises
        ------
        ReadError
            Where they cannot be decoded.
        """
        picture = self.cache.get(key_of(image, 0))
        if picture is not None and not picture.preview:
            return picture.levels[0].pixels
        return read_pixels(image)

    def _is_missing(self, image: Mammogram, frame: int) -> bool:
        key = key_of(image, frame)
        return key not in self._coming and not self.is_settled(image, frame)

    def _submit(self, image: Mammogram, frame: int, reduce: int) -> None:
        key = key_of(image, frame)
        job = Job(translate("Reading pixels"), partial(_decode, image, frame, reduce))
        handle = self._runner.submit(
            job, partial(self._take, image, frame), partial(self._fail, image, frame)
        )
        self._coming.setdefault(key, []).append(handle)

    def _take(self, image: Mammogram, frame: int, picture: Picture) -> None:
        key = key_of(image, frame)
        self.cache.put(picture)
        if not picture.preview:
            self._coming.pop(key, None)
        self.arrived.emit(image)

    def _fail(self, image: Mammogram, frame: int, error: Exception) -> None:
        key = key_of(image, frame)
        if not isinstance(error, MammoError):
            raise error
        self._coming.pop(key, None)
        self._errors[key] = str(error)
        _log.info("pixels refused: %s %s", error.template, error.detail)
        self.failed.emit(image, str(error))


def _decode(image: Mammogram, frame: int, reduce: int) -> Picture:
    return make_picture(image, frame, read_pixels(image, frame, reduce))
