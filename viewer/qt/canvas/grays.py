"""Gray images of the viewports, redone only as far as something changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from viewer.display.render import render_gray, shown_voi, table_for, view_copy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.geometry import Affine
    from viewer.core.state import Presentation
    from viewer.display.picture import Picture
    from viewer.display.render import ViewCopy


@dataclass(slots=True, eq=False)
class _Kept:
    where: tuple[object, ...]
    copy: ViewCopy
    how: tuple[object, ...] = ()
    image: QImage | None = None
    gray: NDArray[np.uint8] | None = None


class Grays:
    """One gray image a place on the canvas."""

    def __init__(self) -> None:
        self._kept: dict[object, _Kept] = {}

    def image(
        self,
        place: object,
        picture: Picture,
        to_screen: Affine,
        size: tuple[int, int],
        presentation: Presentation,
    ) -> QImage:
        """The picture at this size (rows, columns), through the presentation's window.

        Parameters
        ----------
        place
            Names what is drawn over and over: a viewport, the loupe.
        """
        where = (picture, to_screen, size, presentation.raw_air)
        kept = self._kept.get(place)
        if kept is None or kept.where != where:
            copy = view_copy(picture, to_screen, *size, raw_air=presentation.raw_air)
            kept = self._kept[place] = _Kept(where, copy)
        voi = shown_voi(picture, presentation)
        how = (voi, presentation.inverted)
        if kept.image is None or kept.how != how:
            table = table_for(picture.mammogram, voi, presentation.inverted)
            kept.how, kept.gray = how, render_gray(kept.copy, table)
            kept.image = gray_image(kept.gray)
        return kept.image

    def forget(self) -> None:
        """Let go of everything: the pictures too."""
        self._kept.clear()


def gray_image(gray: NDArray[np.uint8]) -> QImage:
    """A `QImage` over (rows, columns) grays; the array must live as long as it."""
    rows, columns = gray.shape
    return QImage(gray.data, columns, rows, gray.strides[0], QImage.Format.Format_Grayscale8)
