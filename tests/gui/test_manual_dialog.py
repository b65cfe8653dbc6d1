"""The manual inside the program: pages, links, search, and F1 of every window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QTextDocument
from PySide6.QtWidgets import QDialog

from ml.places import RESOURCES
from viewer.core.commands import command_keys
from viewer.jobs.models import ModelProcess
from viewer.qt.dialogs.base import PAGE
from viewer.qt.dialogs.manual import ManualDialog, fitting_page, show_manual
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

DOCS = RESOURCES / "docs"


@pytest.fixture
def manual(qtbot: QtBot) -> Iterator[ManualDialog]:
    made = ManualDialog(None)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session()
    preferences = Preferences(session, tmp_path / "settings.toml")
    made = MainWindow(session, preferences, JobRunner(), ModelProcess())
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def here(manual: ManualDialog) -> str:
    return manual.pages.source().fileName()


def listed(manual: ManualDialog) -> list[str]:
    return [manual.list.item(row).text() for row in range(manual.list.count())]


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_page_is_shown(manual: ManualDialog, page: str) -> None:
    manual.go(page)
    assert here(manual) == page
    title = (DOCS / page).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    assert manual.pages.toPlainText().startswith(title)


def test_the_contents_follow_the_page(manual: ManualDialog) -> None:
    manual.go("studio.md")
    assert manual.list.currentItem().text().startswith("The studio")
    manual.list.itemActivated.emit(manual.list.item(0))
    assert here(manual) == "start.md"
    manual.back.click()
    assert here(manual) == "studio.md"
    manual.forward.click()
    assert here(manual) == "start.md"


def test_a_page_that_is_not_there_gives_the_contents(manual: ManualDialog) -> None:
    manual.go("nothing.md")
    assert here(manual) == "index.md"


def test_links_between_pages_are_followed(manual: ManualDialog) -> None:
    manual.go("start.md")
    manual.pages.anchorClicked.emit(QUrl("settings.md"))
    assert here(manual) == "settings.md"
    manual.pages.anchorClicked.emit(QUrl("start.md#a-blind-first-read"))
    assert here(manual) == "start.md"
    assert manual.pages.verticalScrollBar().value() > 0


@pytest.mark.parametrize(
    "address", ["https://example.org/a.md", "file:///etc/passwd", "../../LICENSE"]
)
def test_links_outwards_are_only_shown(manual: ManualDialog, address: str) -> None:
    manual.go("start.md")
    manual.pages.anchorClicked.emit(QUrl(address))
    assert here(manual) == "start.md"
    assert address in manual.outside.text()
    assert manual.outside.isVisible()
    assert QGuiApplication.clipboard().text() == address
    manual.go("studio.md")
    assert not manual.outside.isVisible()


def test_pictures_are_no_wider_than_the_page(manual: ManualDialog) -> None:
    kind = QTextDocument.ResourceType.ImageResource.value
    image = manual.pages.loadResource(kind, QUrl("window.png"))
    assert isinstance(image, QImage)
    assert 0 < image.width() < manual.pages.viewport().width()


def test_what_is_looked_for_is_listed_with_its_page(manual: ManualDialog) -> None:
    manual.search.setText("BLIND first")
    assert any(each.startswith("Start: A blind first read") for each in listed(manual))
    manual.search.returnPressed.emit()
    assert here(manual) in {"start.md", "settings.md", "screening.md"}
    manual.search.setText("xyzzy")
    assert listed(manual) == []
    assert manual.nothing.isVisible()
    manual.search.clear()
    assert not manual.nothing.isVisible()
    assert listed(manual)[0].startswith("Start")


def test_return_in_the_search_closes_nothing_and_escape_empties_it(
    qtbot: QtBot, manual: ManualDialog
) -> None:
    manual.search.setText("grain")
    qtbot.keyClick(manual.search, Qt.Key.Key_Return)
    assert manual.isVisible()
    qtbot.keyClick(manual.search, Qt.Key.Key_Escape)
    assert manual.isVisible()
    assert manual.search.text() == ""


def test_there_is_one_manual_a_window(window: MainWindow) -> None:
    first = show_manual(window, "start.md")
    assert show_manual(window, "studio.md") is first
    assert here(first) == "studio.md"
    first.close()


@pytest.mark.parametrize(
    ("name", "page"), [("settings", "settings.md"), ("shortcuts", "shortcuts.md")]
)
def test_windows_say_which_page_speaks_of_them(
    window: MainWindow, name: str, page: str
) -> None:
    window.commands.actions[name].trigger()
    (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
    assert dialog.property(PAGE) == page
    assert (DOCS / page).is_file()
    dialog.close()


def test_the_page_of_what_has_the_focus_fits(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part, page in ((window.diagnosis, "diagnosis.md"), (window.canvas, "start.md")):
        monkeypatch.setattr(
            "viewer.qt.dialogs.manual.QApplication.focusWidget", lambda part=part: part
        )
        assert fitting_page() == page
    window.commands.actions["manual"].trigger()
    (dialog,) = window.findChildren(ManualDialog)
    assert here(dialog) == "start.md"
    dialog.close()


def test_the_tour_and_the_first_start_are_in_the_manual() -> None:
    text = " ".join((DOCS / "start.md").read_text(encoding="utf-8").split())
    for words in ("The first start", "The tour", "`F1`", "`--new-window`", "`--together`"):
        assert words in text
    assert command_keys()["manual"] == "F1"
