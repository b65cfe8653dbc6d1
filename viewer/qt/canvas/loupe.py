"""The loupe: a magnifying glass on the full pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ml.mammo.geometry import Affine
from viewer.qt import palette

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

    from viewer.qt.canvas.grays import Grays
    from viewer.qt.canvas.scene import Scene

LOUPE_PX = 300
LOUPE_TIMES = 2.0


def draw_loupe(
    painter: QPainter, place: QPointF, scene: Scene, grays: Grays, dpr: float
) -> None:
    """Draw the full pixels around a place of the canvas, enlarged."""
    row, column = place.y() * dpr, place.x() * dpr
    shown = scene.at(row, column)
    if shown is None or shown.picture is None or shown.placement is None:
        return
    side = round(LOUPE_PX * dpr)
    times = max(LOUPE_TIMES, 1.0 / shown.placement.ratio)
    to_loupe = (
        shown.placement.to_screen.then(
            Affine.shift(shown.slot.row0 - row, shown.slot.col0 - column)
        )
        .then(Affine.scale(times))
        .then(Affine.shift(side / 2, side / 2))
    )
    presentation = shown.viewport.presentation
    image = grays.image("loupe", shown.picture, to_loupe, (side, side), presentation)
    rect = QRectF(0, 0, LOUPE_PX, LOUPE_PX)
    rect.moveCenter(place)
    painter.drawImage(rect, image)
    painter.setPen(QPen(QColor(palette.ACCENT), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)
    painter.drawText(
        rect.adjusted(6, 4, -6, -4),
        int(Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight),
        f"{shown.placement.ratio * times:.1f} : 1",
    )
