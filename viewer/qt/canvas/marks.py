"""Draw what lies on the images: boxes, heat maps, lengths, and the words around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QTransform

from ml.mammo.geometry import Affine, Box
from ml.texts import translate
from viewer.core.annotations import corners_of, edge_letters, scale_line, view_line
from viewer.core.diagnosis import alarm_sentence
from viewer.core.layout import length_of
from viewer.display.render import shown_voi
from viewer.qt import palette
from viewer.qt.canvas.boxes import SHADOW, TEXT_PX, draw_boxes
from viewer.qt.canvas.scene import heat_map_of, visible_marks

if TYPE_CHECKING:
    from ml.findings import HeatMap
    from viewer.core.state import FindingKey, SessionState
    from viewer.qt.canvas.boxes import Pulled
    from viewer.qt.canvas.scene import Shown

MARGIN_PX = 8
TITLE_PX = 19
TAG_PX = 17


def draw_marks(
    painter: QPainter,
    shown: Shown,
    state: SessionState,
    dpr: float,
    pulled: Pulled | None = None,
) -> None:
    """Everything of the machine's and the reader's on one image.

    Parameters
    ----------
    pulled
        The box that the reader has in hand, in the place of the mark's own.
    """
    if shown.placement is None:
        return
    to_view = _logical(shown, dpr)
    heat_map = heat_map_of(state, shown.viewport)
    if heat_map is not None:
        _draw_heat_map(painter, heat_map, to_view)
    slot = slot_rect(shown.slot, dpr)
    room = Box(slot.top(), slot.left(), slot.bottom(), slot.right())
    draw_boxes(painter, shown, state, to_view, room, pulled)
    _draw_lengths(painter, shown, state, to_view)


def draw_words(
    painter: QPainter, shown: Shown, dpr: float, *, common_mm: bool, active: bool
) -> None:
    """The corners and edges of one viewport."""
    rect = slot_rect(shown.slot, dpr)
    if active:
        painter.setPen(QPen(QColor(palette.CHOSEN), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
    if shown.viewport.image is None:
        _draw_empty(painter, rect, shown)
        return
    _draw_corners(painter, rect, shown, common_mm=common_mm)
    _draw_edges(painter, rect, shown)
    _draw_notice(painter, rect, shown)


def draw_synthetic(painter: QPainter, shown: Shown, dpr: float) -> None:
    """The tag of a synthetic image: last of all, over everything; nothing turns it off."""
    image = shown.viewport.image
    if image is None or not image.synthetic:
        return
    inner = slot_rect(shown.slot, dpr).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    draw_tag(painter, inner.adjusted(0, TITLE_PX + 8, 0, 0), _outer(shown))


def draw_tag(painter: QPainter, rect: QRectF, side: Qt.AlignmentFlag) -> None:
    """SYNTHETIC, dark on orange, at the top of a place and at one side of it."""
    text = translate("SYNTHETIC")
    painter.setFont(_font(TEXT_PX - 1, bold=True))
    width = painter.fontMetrics().horizontalAdvance(text) + 12
    right = bool(side & Qt.AlignmentFlag.AlignRight)
    left = rect.right() - width if right else rect.left()
    tag = QRectF(left, rect.top(), width, TAG_PX)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.MACHINE))
    painter.drawRoundedRect(tag, 3, 3)
    painter.setPen(QColor(palette.GROUND))
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


def slot_rect(slot: Box, dpr: float) -> QRectF:
    """A slot in the widget's own pixels."""
    rows, columns = slot.size
    return QRectF(slot.col0 / dpr, slot.row0 / dpr, columns / dpr, rows / dpr)


def finding_at(
    shown: Shown, state: SessionState, row: float, column: float, dpr: float
) -> FindingKey | None:
    """The key of the mark whose box is at a place of the widget; the smallest first."""
    if shown.placement is None:
        return None
    to_view = _logical(shown, dpr)
    hits = [
        (mark.box.area, mark.key)
        for mark in visible_marks(state, shown.viewport)
        if _holds(to_view.box(mark.box), row, column)
    ]
    # A small box inside a large one must be within reach.
    return min(hits, key=lambda hit: hit[0])[1] if hits else None


def _holds(box: Box, row: float, column: float) -> bool:
    return box.row0 - 3 <= row <= box.row1 + 3 and box.col0 - 3 <= column <= box.col1 + 3


def _logical(shown: Shown, dpr: float) -> Affine:
    assert shown.placement is not None
    slot = shown.slot
    return shown.placement.to_screen.then(Affine.shift(slot.row0, slot.col0)).then(
        Affine.scale(1 / dpr)
    )


def _draw_heat_map(painter: QPainter, heat_map: HeatMap, to_view: Affine) -> None:
    painter.save()
    affine = heat_map.to_stored.then(to_view)
    painter.setTransform(
        QTransform(affine.cc, affine.rc, affine.cr, affine.rr, affine.c0, affine.r0),
        combine=True,
    )
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QPointF(0, 0), _heat_image(heat_map))
    painter.restore()


def _heat_image(heat_map: HeatMap) -> QImage:
    """Orange, the more opaque the higher the score; clear below 0.1."""
    scores = np.clip((np.asarray(heat_map.scores) - 0.1) / 0.9, 0, 1)
    rows, columns = scores.shape
    colour = QColor(palette.MACHINE)
    alpha = (scores * 150).astype(np.uint32)
    pixels = (
        (alpha << 24) | (colour.red() << 16) | (colour.green() << 8) | colour.blue()
    ).astype(np.uint32)
    made = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32)
    return made.copy()


def _draw_lengths(
    painter: QPainter, shown: Shown, state: SessionState, to_view: Affine
) -> None:
    image = shown.viewport.image
    if image is None:
        return
    painter.setFont(_font(TEXT_PX))
    for length in state.lengths:
        if length.sop_instance_uid != image.sop_instance_uid:
            continue
        start, end = _point(to_view, length.start), _point(to_view, length.end)
        for pen in (QPen(SHADOW, 3), QPen(QColor(palette.READER), 1.4)):
            painter.setPen(pen)
            painter.drawLine(start, end)
        value, in_mm = length_of(image, length.start, length.end)
        text = f"{value:.1f} mm" if in_mm else f"{value:.0f} px"
        _text(painter, QRectF(end.x() + 6, end.y() - 8, 120, 18), text, palette.READER)


def _point(affine: Affine, stored: tuple[float, float]) -> QPointF:
    row, column = affine.point(*stored)
    return QPointF(column, row)


def _draw_empty(painter: QPainter, rect: QRectF, shown: Shown) -> None:
    if not shown.viewport.title:
        return
    painter.setFont(_font(TITLE_PX))
    text = translate("{view}: no image").format(view=shown.viewport.title)
    _text(painter, rect, text, palette.DIM, Qt.AlignmentFlag.AlignCenter)


def _draw_corners(painter: QPainter, rect: QRectF, shown: Shown, *, common_mm: bool) -> None:
    image = shown.viewport.image
    assert image is not None
    corners = corners_of(image)
    inner = rect.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    # Words stay on the side away from the chest wall.
    side = _outer(shown)
    painter.setFont(_font(TITLE_PX))
    _text(painter, inner, corners.title, palette.TEXT, side | Qt.AlignmentFlag.AlignTop)
    top = inner.adjusted(0, TITLE_PX + 8, 0, 0)
    if image.synthetic:  # room for its tag
        top = top.adjusted(0, TAG_PX + 4, 0, 0)
    if corners.marks:
        painter.setFont(_font(TEXT_PX, bold=True))
        marks, place = "  ".join(corners.marks), side | Qt.AlignmentFlag.AlignTop
        _text(painter, top, marks, palette.MACHINE, place)
        top = top.adjusted(0, TEXT_PX + 6, 0, 0)
    painter.setFont(_font(TEXT_PX))
    _text(painter, top, "\n".join(corners.top), palette.DIM, side | Qt.AlignmentFlag.AlignTop)
    lines = [*corners.bottom, *_shown_lines(shown, common_mm=common_mm)]
    _text(painter, inner, "\n".join(lines), palette.DIM, side | Qt.AlignmentFlag.AlignBottom)


def _shown_lines(shown: Shown, *, common_mm: bool) -> list[str]:
    image, picture, placement = shown.viewport.image, shown.picture, shown.placement
    if image is None or placement is None:
        return []
    lines: list[str] = []
    if image.frames > 1:
        text = translate("slice {number} of {count}")
        lines.append(text.format(number=shown.viewport.frame + 1, count=image.frames))
    presentation = shown.viewport.presentation
    if picture is not None:
        lines.append(
            view_line(shown_voi(picture, presentation), inverted=presentation.inverted)
        )
        if presentation.raw_air or not picture.skin.sure:
            reason = "" if presentation.raw_air else f" ({translate(picture.skin.reason)})"
            lines.append(translate("raw air") + reason)
    lines.append(scale_line(image, placement.ratio, common_mm=common_mm))
    return lines


def _draw_edges(painter: QPainter, rect: QRectF, shown: Shown) -> None:
    image, pose = shown.viewport.image, shown.pose
    if image is None or pose is None:
        return
    left, right, top, bottom = edge_letters(image, pose.upright)
    painter.setFont(_font(TEXT_PX))
    inner = rect.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    middle, centre = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignHCenter
    # At the chest wall a letter would lie on the breast, and says nothing new.
    if pose.wall != 0.0:
        _text(painter, inner, left, palette.DIM, middle | Qt.AlignmentFlag.AlignLeft)
    if pose.wall != 1.0:
        _text(painter, inner, right, palette.DIM, middle | Qt.AlignmentFlag.AlignRight)
    _text(painter, inner, top, palette.DIM, centre | Qt.AlignmentFlag.AlignTop)
    _text(painter, inner, bottom, palette.DIM, centre | Qt.AlignmentFlag.AlignBottom)


def _draw_notice(painter: QPainter, rect: QRectF, shown: Shown) -> None:
    if shown.error:
        painter.setFont(_font(TEXT_PX + 2))
        inner = rect.adjusted(rect.width() * 0.15, 0, -rect.width() * 0.15, 0)
        _text(painter, inner, shown.error, palette.ALARM, Qt.AlignmentFlag.AlignCenter)
        return
    if shown.picture is not None and shown.picture.alarm is not None:
        painter.setFont(_font(TEXT_PX, bold=True))
        inner = rect.adjusted(rect.width() * 0.2, 0, -rect.width() * 0.2, -MARGIN_PX)
        place = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
        _text(painter, inner, alarm_sentence(shown.picture.alarm), palette.ALARM, place)
    if shown.loading:
        painter.setFont(_font(TEXT_PX + 1, bold=True))
        side = _outer(shown) | Qt.AlignmentFlag.AlignVCenter
        inner = rect.adjusted(MARGIN_PX, 40, -MARGIN_PX, 0)
        _text(painter, inner, translate("loading"), palette.ACCENT, side)


def _outer(shown: Shown) -> Qt.AlignmentFlag:
    right = shown.pose is not None and shown.pose.wall == 0.0
    return Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft


def _text(
    painter: QPainter,
    rect: QRectF,
    text: str,
    colour: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    if not text:
        return
    # Left and right are the image's own: a language from right to left would swap them.
    flags = int(align | Qt.AlignmentFlag.AlignAbsolute) | int(Qt.TextFlag.TextWordWrap)
    painter.setPen(SHADOW)
    painter.drawText(rect.translated(1, 1), flags, text)
    painter.setPen(QColor(colour))
    painter.drawText(rect, flags, text)


def _font(pixels: int, *, bold: bool = False) -> QFont:
    font = QFont()
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font
