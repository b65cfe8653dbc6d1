"""The black canvas: all viewports of the hang in one widget, and the gestures on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from ml.texts import translate
from viewer.core import actions, layout, viewing
from viewer.core.marks import mark_of
from viewer.core.state import FindingKey, Length, Tool
from viewer.display.cache import key_of
from viewer.display.render import WHOLE, as_window, breast_window
from viewer.qt import palette
from viewer.qt.canvas.grays import Grays
from viewer.qt.canvas.hand import begun_at, cursor_for, held_at, in_the_middle, nudged
from viewer.qt.canvas.loupe import draw_loupe
from viewer.qt.canvas.marks import (
    draw_marks,
    draw_synthetic,
    draw_words,
    finding_at,
    slot_rect,
)
from viewer.qt.canvas.scene import Stage

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent

    from ml.mammo.mammogram import Mammogram, Window
    from viewer.core.state import SessionState
    from viewer.qt.canvas.hand import Hand
    from viewer.qt.canvas.scene import Scene, Shown
    from viewer.qt.images import Images
    from viewer.qt.session import Session

CLICK_PX = 4
# A drag over this many pixels changes the window by its own width.
WINDOW_DRAG_PX = 400.0
ZOOM_DRAG_PX = 200.0
WHEEL_STEP = 1.15


@dataclass(slots=True)
class _Drag:
    tool: Tool
    index: int
    start: QPointF
    last: QPointF
    moved: bool = False


class Canvas(QWidget):
    """Draw the session's viewports, and turn gestures into actions.

    Signals
    -------
    box_drawn : (str, int | None), Box
        The reader drew a box: the image and its slice, and where in stored pixels. It stays on
        the canvas until `let_go`.
    box_changed : FindingKey, Box
        She pulled or moved a mark's box there.
    """

    box_drawn = Signal(object, object)
    box_changed = Signal(object, object)

    def __init__(self, session: Session, images: Images, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # In every language the right breast hangs at the left, and its texts in the air.
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._session = session
        self._images = images
        self._stage = Stage(images)
        self._grays = Grays()
        self._drag: _Drag | None = None
        self._hand: Hand | None = None
        self._loupe: QPointF | None = None
        self._waiting_one_to_one = False
        self.setObjectName("canvas")
        self.setAccessibleName(translate("Images"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        session.changed.connect(self._on_changed)
        images.arrived.connect(self._on_arrived)
        images.failed.connect(self._on_failed)

    def sizeHint(self) -> QSize:
        """Room for four films."""
        return QSize(1000, 800)

    # What it shows

    def scene(self) -> Scene:
        """What is on the canvas now."""
        dpr = self.devicePixelRatioF()
        return self._stage.scene(
            self._session.state, round(self.height() * dpr), round(self.width() * dpr)
        )

    @property
    def is_complete(self) -> bool:
        """Whether every visible image is here with its full pixels, or was refused."""
        return not any(each.loading for each in self.scene().shown)

    def current_windows(self) -> dict[str, Window]:
        """The window through which each hung image is seen, by SOP Instance UID."""
        windows: dict[str, Window] = {}
        for viewport in self._session.state.viewports:
            picture = (
                self._images.picture(viewport.image, viewport.frame) if viewport.image else None
            )
            if picture is not None and viewport.image is not None:
                window = as_window(picture, viewport.presentation)
                windows[viewport.image.sop_instance_uid] = window
        return windows

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the scene."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        state, dpr = self._session.state, self.devicePixelRatioF()
        if state.study is None:
            self._draw_welcome(painter)
            painter.end()
            return
        scene = self.scene()
        for shown in scene.shown:
            painter.save()
            painter.setClipRect(slot_rect(shown.slot, dpr))
            self._draw_pixels(painter, shown, dpr)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_marks(painter, shown, state, dpr, self._hand.pulled if self._hand else None)
            active = shown.index == state.active and len(scene.shown) > 1
            draw_words(painter, shown, dpr, common_mm=scene.common_mm, active=active)
            painter.restore()
        if self._loupe is not None:
            draw_loupe(painter, self._loupe, scene, self._grays, dpr)
        for shown in scene.shown:
            draw_synthetic(painter, shown, dpr)
        painter.end()

    def _draw_pixels(self, painter: QPainter, shown: Shown, dpr: float) -> None:
        if shown.picture is None or shown.placement is None:
            return
        rows, columns = (round(length) for length in shown.slot.size)
        image = self._grays.image(
            shown.index,
            shown.picture,
            shown.placement.to_screen,
            (rows, columns),
            shown.viewport.presentation,
        )
        painter.drawImage(slot_rect(shown.slot, dpr), image)

    def _draw_welcome(self, painter: QPainter) -> None:
        text = self._session.state.opening or translate(
            "Open files or a folder, or drop them here."
        )
        painter.setPen(QColor(palette.DIM))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)

    # What keys do; the menus call these

    def one_to_one(self) -> None:
        """One screen pixel for each stored pixel of the active image; waits for full pixels."""
        shown = self.scene().of_index(self._session.state.active)
        if shown is None or shown.placement is None:
            return
        self._waiting_one_to_one = shown.loading
        if not shown.loading:
            zoom = shown.viewport.camera.zoom / shown.placement.ratio
            self._session.apply(lambda state: viewing.set_zoom(state, zoom))

    def zoom(self, factor: float) -> None:
        """Enlarge about the middle of the chest wall."""
        self._session.apply(lambda state: viewing.zoom_by(state, factor))

    def pan(self, rows: float, columns: float) -> None:
        """Move by a share of the viewport."""
        rows_px, columns_px = rows * self.height() / 2, columns * self.width() / 2
        self._session.apply(lambda state: viewing.pan_by(state, rows_px, columns_px))

    def change_window(self, brighter: float, wider: float, *, step: bool = True) -> None:
        """Change center (in widths) and width (as a logarithm)."""
        windows = self.current_windows()
        self._session.apply(
            lambda state: viewing.drag_window(state, windows, brighter, wider), step=step
        )

    def window_on_breast(self, part: tuple[float, float] = WHOLE) -> None:
        """Choose the windows by what the breasts' pixels hold: all of it, or a part."""
        windows: dict[str, Window] = {}
        for viewport in self._session.state.viewports:
            image = viewport.image
            picture = self._images.picture(image, viewport.frame) if image else None
            if image is not None and picture is not None:
                windows[image.sop_instance_uid] = breast_window(picture, part)
        self._session.apply(lambda state: viewing.set_windows(state, windows))

    def toggle_loupe(self) -> None:
        """Put the loupe into the middle of the active viewport, or take it away."""
        shown = self.scene().of_index(self._session.state.active)
        if self._loupe is not None or shown is None or shown.loading:
            self._loupe = None
        else:
            self._loupe = slot_rect(shown.slot, self.devicePixelRatioF()).center()
        self.update()

    @property
    def has_loupe(self) -> bool:
        """Whether the loupe is on the canvas."""
        return self._loupe is not None

    def centre_finding(self, key: FindingKey) -> None:
        """Bring a finding to the middle of its viewport."""
        state = self._session.state
        shown = self.scene().of_index(state.active)
        image = shown.viewport.image if shown else None
        mark = mark_of(state, key)
        if shown is None or image is None or shown.placement is None or mark is None:
            return
        if image.sop_instance_uid != key.sop_instance_uid:
            return
        camera = shown.viewport.camera
        offset = layout.camera_offset_to(shown.placement, camera, mark.box.center)
        self._session.apply(lambda now: viewing.look_at(now, camera.zoom, offset))

    def draw_here(self) -> None:
        """Draw a box in the middle of the active viewport."""
        shown = self.scene().of_index(self._session.state.active)
        hand = None if shown is None or shown.loading else in_the_middle(shown)
        if hand is not None:
            self._hand = hand
            self.box_drawn.emit(hand.place, hand.box)
            self.update()

    def nudge(self, rows: int, columns: int, *, resize: bool = False) -> None:
        """Move the selected mark, or its lower or right edge, by a small step."""
        shown = self.scene().of_index(self._session.state.active)
        moved = (
            nudged(shown, self._session.state, (rows, columns), resize=resize)
            if shown
            else None
        )
        if moved is not None:
            self.box_changed.emit(*moved)

    def let_go(self) -> None:
        """Draw marks where they are, and no box that was in the reader's hand."""
        self._hand = None
        self.update()

    # Gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag with the tool of the button."""
        shown = self._shown_at(event.position())
        if shown is None:
            return
        self._session.apply(lambda state: viewing.set_active(state, shown.index))
        tool = self._tool_for(event.button())
        if tool is None or (shown.loading and tool in (Tool.LOUPE, Tool.LENGTH, Tool.DRAW)):
            return
        self._hand = self._hand_at(shown, event.position(), tool)
        self._drag = _Drag(tool, shown.index, event.position(), event.position())
        if tool is Tool.LOUPE:
            self._loupe = event.position()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a drag."""
        drag = self._drag
        if drag is None:
            self._hover(event.position())
            return
        distance = event.position() - drag.start
        if not drag.moved and max(abs(distance.x()), abs(distance.y())) < CLICK_PX:
            return
        delta = event.position() - drag.last
        self._drag_by(drag, delta, event.position())
        drag.last, drag.moved = event.position(), True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag; one that never moved is a click."""
        drag, self._drag = self._drag, None
        if drag is None:
            return
        if drag.tool is Tool.LOUPE:
            self._loupe = None
            self.update()
        hand = self._hand
        if hand is not None and drag.moved:
            self._release(hand)
            return
        self._hand = None
        if not drag.moved and event.button() is Qt.MouseButton.LeftButton:
            self._click(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape drops what is in the hand where it was; else it chooses no mark."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self._hand is not None:
            self._drag = None
            self.let_go()
        else:
            self._session.apply(lambda state: actions.select_finding(state, None))
            # The window may have something to end, too.
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Let one viewport fill the canvas, or bring all back."""
        if event.button() is Qt.MouseButton.LeftButton and self._shown_at(event.position()):
            self._session.apply(viewing.toggle_one_up)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the cursor; in a stack of slices, step through it."""
        shown = self._shown_at(event.position())
        steps = event.angleDelta().y() / 120
        if shown is None or not steps:
            return
        self._session.apply(lambda state: viewing.set_active(state, shown.index))
        image = shown.viewport.image
        zooms = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if image is not None and image.frames > 1 and not zooms:
            frames = -int(math.copysign(max(1, abs(round(steps))), steps))
            self._session.apply(lambda state: viewing.step_frame(state, frames), step=False)
        else:
            anchor = self._from_pivot(shown, event.position())
            self._session.apply(
                lambda state: viewing.zoom_by(state, WHEEL_STEP**steps, anchor), step=True
            )
        event.accept()

    def _tool_for(self, button: Qt.MouseButton) -> Tool | None:
        if button is Qt.MouseButton.LeftButton:
            return self._session.state.tool
        return {
            Qt.MouseButton.MiddleButton: Tool.PAN,
            Qt.MouseButton.RightButton: Tool.ZOOM,
        }.get(button)

    def _drag_by(self, drag: _Drag, delta: QPointF, position: QPointF) -> None:
        first = not drag.moved
        dpr = self.devicePixelRatioF()
        if self._hand is not None:
            self._pull(self._hand, position)
        elif drag.tool is Tool.WINDOW:
            brighter, wider = -delta.y() / WINDOW_DRAG_PX, delta.x() / WINDOW_DRAG_PX
            self.change_window(brighter, wider, step=first)
        elif drag.tool is Tool.PAN:
            rows, columns = delta.y() * dpr, delta.x() * dpr
            self._session.apply(lambda state: viewing.pan_by(state, rows, columns), step=first)
        elif drag.tool is Tool.ZOOM:
            self._drag_zoom(drag, delta, first=first)
        elif drag.tool is Tool.LOUPE:
            self._loupe = position
            self.update()
        elif drag.tool is Tool.LENGTH:
            self._drag_length(drag, position, first=first)

    def _drag_zoom(self, drag: _Drag, delta: QPointF, *, first: bool) -> None:
        shown = self.scene().of_index(drag.index)
        if shown is not None:
            anchor = self._from_pivot(shown, drag.start)
            factor = math.exp(-delta.y() / ZOOM_DRAG_PX)
            self._session.apply(
                lambda state: viewing.zoom_by(state, factor, anchor), step=first
            )

    def _drag_length(self, drag: _Drag, position: QPointF, *, first: bool) -> None:
        shown = self.scene().of_index(drag.index)
        image = shown.viewport.image if shown else None
        if shown is None or image is None or shown.placement is None:
            return
        start, end = self._stored(shown, drag.start), self._stored(shown, position)
        if first:
            length = Length(image.sop_instance_uid, start, end)
            self._session.apply(lambda state: actions.add_length(state, length))
        else:
            self._session.apply(lambda state: actions.move_length_end(state, end), step=False)

    def _hand_at(self, shown: Shown, position: QPointF, tool: Tool) -> Hand | None:
        """What a drag here takes into the hand: the selected mark, or a new box."""
        if tool not in (Tool.WINDOW, Tool.DRAW) or shown.placement is None:
            return None
        point = self._stored(shown, position)
        held = held_at(shown, self._session.state, point, self.devicePixelRatioF())
        return begun_at(shown, point) if held is None and tool is Tool.DRAW else held

    def _pull(self, hand: Hand, position: QPointF) -> None:
        shown = self.scene().of_index(hand.index)
        if shown is not None and shown.placement is not None:
            hand.move_to(self._stored(shown, position))
            self.update()

    def _release(self, hand: Hand) -> None:
        if hand.key is None:
            self.box_drawn.emit(hand.place, hand.box)
        else:
            self._hand = None
            self.box_changed.emit(hand.key, hand.box)
        self.update()

    def _hover(self, position: QPointF) -> None:
        """Say by the cursor what a drag would do."""
        state = self._session.state
        shown = self._shown_at(position) if state.selected or state.tool is Tool.DRAW else None
        if shown is None:
            self.unsetCursor()
            return
        hand = self._hand_at(shown, position, state.tool)
        new = hand is not None and hand.key is None
        self.setCursor(Qt.CursorShape.CrossCursor if new else cursor_for(hand, shown))

    def _click(self, position: QPointF) -> None:
        shown = self._shown_at(position)
        if shown is None:
            return
        key = finding_at(
            shown, self._session.state, position.y(), position.x(), self.devicePixelRatioF()
        )
        # Beside all boxes none is chosen: the next drag does what the tool says.
        self._session.apply(lambda state: actions.select_finding(state, key))

    def _shown_at(self, position: QPointF) -> Shown | None:
        dpr = self.devicePixelRatioF()
        return self.scene().at(position.y() * dpr, position.x() * dpr)

    def _from_pivot(self, shown: Shown, position: QPointF) -> tuple[float, float]:
        if shown.placement is None:
            return 0.0, 0.0
        dpr, pivot = self.devicePixelRatioF(), shown.placement.pivot
        return (
            position.y() * dpr - shown.slot.row0 - pivot[0],
            position.x() * dpr - shown.slot.col0 - pivot[1],
        )

    def _stored(self, shown: Shown, position: QPointF) -> tuple[float, float]:
        assert shown.placement is not None
        dpr = self.devicePixelRatioF()
        row, column = position.y() * dpr - shown.slot.row0, position.x() * dpr - shown.slot.col0
        return shown.placement.to_screen.inverse().point(row, column)

    def position_of(self, index: int, stored: tuple[float, float]) -> QPoint | None:
        """Where a stored place of a viewport's image lies in the widget."""
        shown = self.scene().of_index(index)
        if shown is None or shown.placement is None:
            return None
        dpr = self.devicePixelRatioF()
        row, column = shown.placement.to_screen.point(*stored)
        return QPoint(
            round((column + shown.slot.col0) / dpr), round((row + shown.slot.row0) / dpr)
        )

    # What happens elsewhere

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if old.study is not new.study:
            self._stage.forget()
            self._grays.forget()
            self._loupe, self._drag, self._waiting_one_to_one = None, None, False
            self._hand = None
        if old.viewports is not new.viewports:
            self._request(new)
        self.update()

    def _on_failed(self, image: Mammogram, sentence: str) -> None:
        del image, sentence
        self.update()

    def _request(self, state: SessionState) -> None:
        hung = [(v.image, v.frame) for v in state.viewports if v.image]
        self._images.cache.pin([key_of(image, frame) for image, frame in hung])
        self._images.request(hung)

    def _on_arrived(self, image: Mammogram) -> None:
        if any(viewport.image is image for viewport in self._session.state.viewports):
            self.update()
            if self._waiting_one_to_one:
                self.one_to_one()
