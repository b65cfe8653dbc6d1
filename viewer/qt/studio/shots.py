"""The middle: images as they come, each with its tag, its seed and why it was refused."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ml.texts import translate
from viewer.core.batch import caption, told
from viewer.jobs.job import Job
from viewer.qt import palette
from viewer.qt.canvas.marks import draw_tag

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from viewer.core.batch import Batch, Shot
    from viewer.qt.job_runner import JobRunner

Index = QModelIndex | QPersistentModelIndex

# At most so many pictures are kept; those that are scrolled to are read again.
KEPT = 400
CELL_PX = (190, 210)
GAP_PX = 8
# The frame of the image that the keyboard is at.
FOCUS_PX = 2
PICTURE_PX = 320
# A picture that is not kept, and its tag, which can still be read.
DIM, TAG_DIM = 0.25, 0.55
# Of what lies behind a reason, of 255.
SHADE = 190
_ROOT = QModelIndex()


class ShotModel(QAbstractListModel):
    """The images of a batch; pictures are read when they are first seen."""

    def __init__(self, runner: JobRunner, parent: QWidget) -> None:
        super().__init__(parent)
        self.batch: Batch | None = None
        self._runner = runner
        self._pictures: OrderedDict[str, QPixmap] = OrderedDict()
        self._coming: set[str] = set()

    def show_batch(self, batch: Batch | None) -> None:
        """Show a batch, from where it stands; those that are shown already stay."""
        old, same = self.batch, _begins_alike(self.batch, batch)
        if old is None or batch is None or not same:
            self.beginResetModel()
            self.batch = batch
            self.endResetModel()
            return
        more = len(batch.shots) - len(old.shots)
        if more:
            self.beginInsertRows(_ROOT, len(old.shots), len(batch.shots) - 1)
            self.batch = batch
            self.endInsertRows()
            return
        self.batch = batch
        if batch.shots:
            self.dataChanged.emit(self.index(0), self.index(len(batch.shots) - 1))

    def shot(self, index: Index) -> Shot | None:
        """The image of a place."""
        shots = self.batch.shots if self.batch else ()
        return shots[index.row()] if 0 <= index.row() < len(shots) else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many images there are."""
        return 0 if parent.isValid() or self.batch is None else len(self.batch.shots)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Words for the tool tip and for who cannot see."""
        shot = self.shot(index)
        if shot is None or self.batch is None:
            return None
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return told(self.batch, shot)
        return None

    def picture(self, shot: Shot) -> QPixmap | None:
        """A picture, or None and it is read."""
        known = self._pictures.get(shot.thumbnail)
        if known is not None:
            self._pictures.move_to_end(shot.thumbnail)
            return known
        if shot.thumbnail not in self._coming:
            self._coming.add(shot.thumbnail)
            job = Job(translate("Reading pictures"), partial(read_picture, shot.thumbnail))
            self._runner.submit(
                job, partial(self._take, shot), lambda _: self._take(shot, QImage())
            )
        return None

    def _take(self, shot: Shot, image: QImage) -> None:
        self._coming.discard(shot.thumbnail)
        self._pictures[shot.thumbnail] = QPixmap.fromImage(image)
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        shots = self.batch.shots if self.batch else ()
        for row, each in enumerate(shots):
            if each.path == shot.path:
                self.dataChanged.emit(self.index(row), self.index(row))


def _begins_alike(old: Batch | None, new: Batch | None) -> bool:
    if old is None or new is None or old.job_id != new.job_id:
        return False
    if not old.shots or len(old.shots) > len(new.shots):
        return not old.shots
    ends = (0, len(old.shots) - 1)
    return all(old.shots[i].path == new.shots[i].path for i in ends)


def read_picture(path: str) -> QImage:
    """A small picture of a file, in 8 bits; an empty one where it cannot be read."""
    reader = QImageReader(path)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > PICTURE_PX:
        reader.setScaledSize(
            size.scaled(PICTURE_PX, PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio)
        )
    image = reader.read()
    return image if image.isNull() else image.convertToFormat(QImage.Format.Format_Grayscale8)


class ShotDelegate(QStyledItemDelegate):
    """Draws one image."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Picture, tag, caption, and the reason where it was refused."""
        model = index.model()
        if not isinstance(model, ShotModel) or model.batch is None:
            return
        shot = model.shot(index)
        if shot is None:
            return
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        cell = QRectF(rect).adjusted(GAP_PX / 2, GAP_PX / 2, -GAP_PX / 2, -GAP_PX / 2)
        painter.save()
        painter.fillRect(cell, Qt.GlobalColor.black)
        painter.setOpacity(1.0 if shot.kept else DIM)
        _draw_picture(painter, cell, model.picture(shot))
        painter.setOpacity(1.0 if shot.kept else TAG_DIM)
        draw_tag(painter, cell.adjusted(6, 6, -6, 0), Qt.AlignmentFlag.AlignRight)
        painter.setOpacity(1.0 if shot.kept else DIM)
        _draw_caption(painter, cell, caption(model.batch, shot))
        painter.setOpacity(1.0)
        _draw_reason(painter, cell, shot)
        _draw_frame(painter, cell, shot, bool(state & QStyle.StateFlag.State_HasFocus))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """What the view's grid leaves."""
        del index
        view = option.widget
        return view.gridSize() if isinstance(view, QListView) else QSize(*CELL_PX)


def _draw_picture(painter: QPainter, cell: QRectF, picture: QPixmap | None) -> None:
    if picture is None or picture.isNull():
        return
    size = picture.size().scaled(
        cell.adjusted(1, 1, -1, -1).size().toSize(), Qt.AspectRatioMode.KeepAspectRatio
    )
    place = QRectF(0, 0, size.width(), size.height())
    place.moveCenter(cell.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(place, picture, QRectF(picture.rect()))


def _draw_caption(painter: QPainter, cell: QRectF, text: str) -> None:
    place = cell.adjusted(7, 0, -7, -6)
    align = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
    font = painter.font()
    font.setPixelSize(11)
    font.setBold(False)
    painter.setFont(font)
    for colour, shift in (("#000000", 1), (palette.TEXT, 0)):
        painter.setPen(QColor(colour))
        painter.drawText(place.translated(shift, shift), align, text)


def _draw_reason(painter: QPainter, cell: QRectF, shot: Shot) -> None:
    text = shot.reason if shot.reason else "" if shot.kept else translate("not kept")
    if not text:
        return
    flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
    place = cell.adjusted(10, 24, -10, -24)
    behind = painter.boundingRect(place, flags, text).adjusted(-5, -3, 5, 3)
    # A dense breast is as bright as letters are.
    painter.fillRect(behind, QColor(0, 0, 0, SHADE))
    painter.setPen(QColor(palette.TEXT if shot.kept else palette.DIM))
    if not shot.passed:
        painter.setPen(QColor(palette.ALARM))
    painter.drawText(place, flags, text)


def _draw_frame(painter: QPainter, cell: QRectF, shot: Shot, focused: bool) -> None:
    colour = palette.LINE if shot.passed else palette.ALARM
    width = FOCUS_PX if focused else 1
    painter.setPen(QPen(QColor(palette.ACCENT if focused else colour), width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = width / 2
    painter.drawRect(cell.adjusted(inset, inset, -inset, -inset))


class ShotsView(QListView):
    """A grid of images; a click or Space keeps one or not, a double click or Enter opens it.

    The arrow keys move from image to image.

    Signals
    -------
    toggled : str
        The path of the image to keep, or not.
    opened : str
        The path of the image to open.
    """

    toggled = Signal(str)
    opened = Signal(str)

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shots = ShotModel(runner, self)
        self._double = False
        self.setModel(self.shots)
        self.setItemDelegate(ShotDelegate(self))
        self.setAccessibleName(translate("Generated images"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(self._click)
        self.doubleClicked.connect(self._double_click)

    def show_batch(self, batch: Batch | None) -> None:
        """Show a batch; the view stays at its end where it was there and nobody is at work."""
        bar = self.verticalScrollBar()
        at_end = bar.value() == bar.maximum()
        self.shots.show_batch(batch)
        if at_end and not self.hasFocus():
            self.scrollToBottom()
        self._stand_somewhere()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Stand at an image, so that it is seen where the keyboard is."""
        super().focusInEvent(event)
        self._stand_somewhere()

    def _stand_somewhere(self) -> None:
        if self.hasFocus() and self.shots.rowCount() and not self.currentIndex().isValid():
            self.setCurrentIndex(self.shots.index(0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click."""
        self._double = False
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The release that follows is no click of its own."""
        self._double = True
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space keeps or not, Enter opens."""
        shot = self.shots.shot(self.currentIndex())
        if shot is not None and event.key() == Qt.Key.Key_Space:
            self.toggled.emit(shot.path)
        elif shot is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(shot.path)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as there is room for, all of one width."""
        width = self.viewport().width()
        columns = max(width // CELL_PX[0], 1)
        self.setGridSize(QSize(width // columns - 1, CELL_PX[1]))
        super().resizeEvent(event)

    def _click(self, index: Index) -> None:
        shot = self.shots.shot(index)
        if shot is not None and not self._double:
            self.toggled.emit(shot.path)

    def _double_click(self, index: Index) -> None:
        shot = self.shots.shot(index)
        if shot is not None:
            # The first of the two clicks was none.
            self.toggled.emit(shot.path)
            self.opened.emit(shot.path)
