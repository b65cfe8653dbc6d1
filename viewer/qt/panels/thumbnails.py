"""All images of the open study as small pictures; those that hang nowhere are reached here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ml.texts import translate
from viewer.core import viewing
from viewer.core.hanging import extra_images, title_of
from viewer.core.layout import grid, place, pose_of
from viewer.core.state import Camera, Presentation
from viewer.qt import palette
from viewer.qt.canvas.grays import Grays
from viewer.qt.own_keys import OwnKeys

if TYPE_CHECKING:
    from ml.mammo.mammogram import Mammogram
    from viewer.core.state import SessionState
    from viewer.display.picture import Picture
    from viewer.qt.images import Images
    from viewer.qt.session import Session

SIZE_PX = 46
LABEL_PX = 18
BAND_PX = 3


class ThumbnailsPanel(QWidget):
    """A thumbnail an image; choosing one shows it in the active viewport."""

    def __init__(self, session: Session, images: Images, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._images = images
        heading = QLabel(translate("THIS STUDY"))
        heading.setProperty("kind", "heading")
        self.list = QListWidget()
        # As the images hang, in every language.
        self.list.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        # By Tab only: after a click the arrows go on panning the images.
        self.list.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        OwnKeys(self.list)
        self.list.setAccessibleName(translate("Images of this study"))
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setIconSize(QSize(SIZE_PX, SIZE_PX))
        self.list.setGridSize(QSize(SIZE_PX + 8, SIZE_PX + LABEL_PX + 8))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setSpacing(0)
        self.list.itemActivated.connect(self._place)
        self.list.itemClicked.connect(self._place)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 4, 2, 8)
        rows.addWidget(heading)
        rows.addWidget(self.list)
        self.setMinimumHeight(120)
        session.changed.connect(self._on_changed)
        images.arrived.connect(self._draw)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if old.study is not new.study:
            self._show(new)
        elif old.viewports is not new.viewports:
            self._mark_extra(new)

    def _show(self, state: SessionState) -> None:
        self.list.clear()
        for image in _in_hang_order(state):
            item = QListWidgetItem(_blank(), title_of(image))
            item.setData(Qt.ItemDataRole.UserRole, image)
            self.list.addItem(item)
            self._draw(image)
        self._mark_extra(state)

    def _mark_extra(self, state: SessionState) -> None:
        if state.study is None:
            return
        extra = {id(image) for image in extra_images(state.study, state.viewports)}
        for item in self._items():
            image: Mammogram = item.data(Qt.ItemDataRole.UserRole)
            told = translate("not on the screen") if id(image) in extra else ""
            item.setText(title_of(image) + (" +" if told else ""))
            kind = translate("SYNTHETIC") if image.synthetic else ""
            item.setToolTip(" · ".join(part for part in (title_of(image), kind, told) if part))

    def _draw(self, image: Mammogram) -> None:
        picture = self._images.picture(image)
        if picture is None:
            return
        for item in self._items():
            if item.data(Qt.ItemDataRole.UserRole) is image:
                item.setIcon(QIcon(_thumbnail(picture)))

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _place(self, item: QListWidgetItem) -> None:
        image: Mammogram = item.data(Qt.ItemDataRole.UserRole)
        self._session.apply(lambda state: viewing.place_image(state, image))


def _in_hang_order(state: SessionState) -> list[Mammogram]:
    """The hung images as they hang, then the others."""
    if state.study is None:
        return []
    hung = [viewport.image for viewport in state.viewports if viewport.image]
    return [*hung, *extra_images(state.study, state.viewports)]


def _thumbnail(picture: Picture) -> QPixmap:
    pose = pose_of(picture.mammogram, picture.skin)
    placement = place([pose], grid(SIZE_PX, SIZE_PX, 1, 1), [Camera()])[0]
    if placement is None:
        return _blank()
    gray = Grays().image(
        "thumbnail", picture, placement.to_screen, (SIZE_PX, SIZE_PX), Presentation()
    )
    return _framed(QPixmap.fromImage(gray), synthetic=picture.mammogram.synthetic)


def _blank() -> QPixmap:
    pixmap = QPixmap(SIZE_PX, SIZE_PX)
    pixmap.fill(Qt.GlobalColor.black)
    return _framed(pixmap)


def _framed(pixmap: QPixmap, *, synthetic: bool = False) -> QPixmap:
    """With a line around it: back to back, two breasts would look like one picture.

    A synthetic one has a band in the colour of its tag, as there is no room for the word.
    """
    painter = QPainter(pixmap)
    painter.setPen(QColor(palette.LINE))
    painter.drawRect(pixmap.rect().adjusted(0, 0, -1, -1))
    if synthetic:
        painter.fillRect(0, 0, pixmap.width(), BAND_PX, QColor(palette.MACHINE))
    painter.end()
    return pixmap
