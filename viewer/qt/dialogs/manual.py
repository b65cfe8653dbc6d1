"""The manual inside the program: its pages, their contents, and a search over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QKeySequence,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextTable,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ml.places import RESOURCES
from ml.texts import translate
from viewer.core.manual import INDEX, contents, read_sections, search, slug
from viewer.qt import palette
from viewer.qt.dialogs.base import PAGE, Button, Dialog, bring_up, name_button
from viewer.qt.search_field import SearchField

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QTextBlock

    from viewer.core.manual import Section

DOCS = RESOURCES / "docs"
START = "start.md"
_TARGET = Qt.ItemDataRole.UserRole
_WIDTH_PX, _HEIGHT_PX, _SIDE_PX = 980, 720, 270
_MARGIN_PX = 22
_SIZES_PX = {1: 21, 2: 16, 3: 14}
_DEEPER_PX = 13
# Stands in a text for a picture (Unicode's object replacement character).
_PICTURE = "\ufffc"
_UNKNOWN = QTextDocument.ResourceType.UnknownResource


class Pages(QTextBrowser):
    """One page at a time; pictures are never wider than it, and no link leaves the program.

    Parameters
    ----------
    folder
        Of the pages and their pictures.
    """

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setSearchPaths([str(folder)])
        self.setAccessibleName(translate("Page of the manual"))
        self.document().setDocumentMargin(_MARGIN_PX)

    def go(self, page: str, heading: str = "") -> None:
        """Show a page from its beginning, or from a heading as a link names it."""
        url = QUrl.fromLocalFile(str(self._folder / page))
        url.setFragment(heading)
        self.setSource(url, QTextDocument.ResourceType.MarkdownResource)

    def doSetSource(  # noqa: N802 - Qt
        self,
        name: QUrl | str,
        type: QTextDocument.ResourceType = _UNKNOWN,  # noqa: A002 - Qt's name
    ) -> None:
        """Dress the page that was read, and go to the heading."""
        super().doSetSource(name, type)
        _dress(self.document())
        heading = QUrl(name).fragment()
        if heading:
            self._scroll_to(heading)

    def loadResource(self, type: int, name: QUrl | str) -> object:  # noqa: A002, N802 - Qt
        """Pictures as wide as the page at most."""
        if type != QTextDocument.ResourceType.ImageResource.value:
            return super().loadResource(type, name)
        image = QImage(str(self._folder / QUrl(name).fileName()))
        room = max(200, self.viewport().width() - 2 * _MARGIN_PX - 8)
        if image.width() > room:
            mode = Qt.TransformationMode.SmoothTransformation
            return image.scaledToWidth(room, mode)
        return image

    def _scroll_to(self, heading: str) -> None:
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and slug(block.text()) == heading:
                layout = self.document().documentLayout()
                place = layout.blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(place) - 8)
                return
            block = block.next()


class ManualDialog(Dialog):
    """Contents or hits on the left, the page on the right; links outwards are only shown.

    Parameters
    ----------
    folder
        Of the pages.
    """

    def __init__(self, parent: QWidget | None, folder: Path = DOCS) -> None:
        super().__init__(translate("Manual"), parent)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._folder = folder
        self._sections: tuple[Section, ...] | None = None
        self._entries = contents((folder / INDEX).read_text(encoding="utf-8"))
        self.pages = Pages(folder)
        self.pages.anchorClicked.connect(self._follow)
        self.pages.sourceChanged.connect(self._on_page)
        self.outside = QLabel()
        self.outside.setWordWrap(True)
        self._add_head()
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(translate("Contents"))
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self.nothing = QLabel(translate("No page has all of these words: try fewer."))
        self.nothing.setWordWrap(True)
        self.nothing.hide()
        self._add_middle()
        self.rows.addWidget(self.outside)
        self.outside.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outside.hide()
        self.add_buttons(Button.Close)
        self._list_contents()
        self.take_room(_WIDTH_PX, _HEIGHT_PX)

    def go(self, page: str) -> None:
        """Show a page; the contents where there is no such page."""
        self.pages.go(page if (self._folder / page).is_file() else INDEX)

    def _add_head(self) -> None:
        self.back, self.forward, self.home = QPushButton(), QPushButton(), QPushButton()
        for button, words, keys, deed in (
            (self.back, translate("Back"), QKeySequence.StandardKey.Back, self.pages.backward),
            (
                *(self.forward, translate("Forward")),
                *(QKeySequence.StandardKey.Forward, self.pages.forward),
            ),
        ):
            name_button(button, words)
            button.setShortcut(QKeySequence(keys))
            button.clicked.connect(deed)
            button.setEnabled(False)
        name_button(self.home, translate("Contents"))
        self.home.clicked.connect(self._on_home)
        self.pages.backwardAvailable.connect(self.back.setEnabled)
        self.pages.forwardAvailable.connect(self.forward.setEnabled)
        self.search = SearchField(translate("Search the manual"), self)
        self.search.textChanged.connect(self._on_words)
        self.search.returnPressed.connect(self._on_return)
        row = QHBoxLayout()
        for each in (self.back, self.forward, self.home):
            each.setAutoDefault(False)
            row.addWidget(each)
        row.addSpacing(8)
        row.addWidget(self.search, 1)
        self.rows.addLayout(row)

    def _add_middle(self) -> None:
        side = QWidget()
        rows = QVBoxLayout(side)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.nothing)
        rows.addWidget(self.list, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(side)
        splitter.addWidget(self.pages)
        splitter.setSizes([_SIDE_PX, _WIDTH_PX - _SIDE_PX])
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        self.rows.addWidget(splitter, 1)

    def _list_contents(self) -> None:
        self._fill([(each.page, "", each.title, each.about) for each in self._entries])

    def _on_words(self, words: str) -> None:
        if not words.strip():
            self._list_contents()
            return
        if self._sections is None:
            self._sections = read_sections(self._folder)
        hits = search(self._sections, words)
        self._fill(
            [
                (
                    *(hit.page, slug(hit.heading) if hit.heading != hit.title else ""),
                    *(_under(hit.title, hit.heading), hit.excerpt),
                )
                for hit in hits
            ]
        )
        self.nothing.setVisible(not hits)

    def _fill(self, rows: list[tuple[str, str, str, str]]) -> None:
        """List page, heading, title and a line about it."""
        self.nothing.hide()
        self.list.clear()
        for page, heading, title, about in rows:
            item = QListWidgetItem(f"{title}\n{about}" if about else title)
            item.setData(_TARGET, (page, heading))
            self.list.addItem(item)
        self._on_page(self.pages.source())

    def _choose(self, item: QListWidgetItem) -> None:
        page, heading = item.data(_TARGET)
        self.pages.go(page, heading)

    def _on_return(self) -> None:
        if self.list.count():
            self.list.setCurrentRow(0)
            self._choose(self.list.item(0))

    def _on_home(self) -> None:
        self.search.clear()
        self.pages.go(INDEX)

    def _on_page(self, source: QUrl) -> None:
        """Mark the page in the contents."""
        self.outside.hide()
        here = source.fileName()
        if self.search.text().strip():
            return
        pages = [each.page for each in self._entries]
        self.list.setCurrentRow(pages.index(here) if here in pages else -1)

    def _follow(self, url: QUrl) -> None:
        name = url.fileName() or self.pages.source().fileName()
        within = not url.host() and url.scheme() in ("", "file")
        if within and name.endswith(".md") and (self._folder / name).is_file():
            self.pages.go(name, url.fragment())
            return
        # Reading stays offline: whoever wants it copies the address.
        shown = translate("Outside of the manual, copied to the clipboard: {address}")
        address = url.toString()
        QGuiApplication.clipboard().setText(address)
        self.outside.setText(shown.format(address=address))
        self.outside.setAccessibleName(self.outside.text())
        self.outside.show()


def show_manual(parent: QWidget | None, page: str) -> ManualDialog:
    """Bring the manual to the front at a page."""
    if parent is not None and bring_up(parent, ManualDialog):
        dialog = parent.findChild(ManualDialog)
        assert isinstance(dialog, ManualDialog)
    else:
        dialog = ManualDialog(parent)
        dialog.show()
    dialog.go(page)
    return dialog


def fitting_page() -> str:
    """The page of what has the focus, or of the window in front; the first where none says."""
    here: QObject | None = QApplication.focusWidget() or QApplication.activeWindow()
    while here is not None:
        page = here.property(PAGE)
        if isinstance(page, str):
            return page
        here = here.parent()
    return START


def _under(title: str, heading: str) -> str:
    return title if heading in ("", title) else f"{title}: {heading}"


def _dress(document: QTextDocument) -> None:
    """Headings of a page's own sizes, room between paragraphs, tables with thin lines."""
    whole = QTextCursor(document)
    # Or every step would have a long page laid out anew.
    whole.beginEditBlock()
    block = document.begin()
    while block.isValid():
        _dress_block(block)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            form = frame.format()
            form.setBorder(1)
            form.setBorderCollapse(True)
            form.setBorderBrush(QColor(palette.LINE))
            form.setCellPadding(5)
            frame.setFormat(form)
    whole.endEditBlock()


def _dress_block(block: QTextBlock) -> None:
    cursor = QTextCursor(block)
    level = block.blockFormat().headingLevel()
    room = QTextBlockFormat()
    # The line of a picture would be higher by as much.
    if _PICTURE not in block.text():
        room.setLineHeight(130, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if level:
        room.setTopMargin(18 if level > 1 else 0)
        room.setBottomMargin(6)
    elif not (block.textList() or cursor.currentTable()):
        room.setTopMargin(0)
        room.setBottomMargin(10)
    cursor.mergeBlockFormat(room)
    if level:
        letters = QTextCharFormat()
        size = _SIZES_PX.get(level, _DEEPER_PX)
        letters.setProperty(QTextCharFormat.Property.FontPixelSize, size)
        cursor.movePosition(
            QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor
        )
        cursor.mergeCharFormat(letters)
