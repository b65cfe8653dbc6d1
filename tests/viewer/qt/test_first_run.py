"""The dialog of the first run: accepted, declined, in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTranslator
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit

from tests.factories.catalogues import use_catalogue
from viewer.core.first_run import Computing, is_accepted, last_check, was_seen
from viewer.core.home import find_home
from viewer.core.settings import read_settings
from viewer.qt.dialogs.display import DisplayDialog
from viewer.qt.dialogs.first_run import DISPLAY, PLACES, STATEMENT, FirstRunDialog
from viewer.qt.dialogs.pattern import Pattern, screens
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

CARD = "NVIDIA Test"


@pytest.fixture
def dialog(qtbot: QtBot, home: Path) -> Iterator[FirstRunDialog]:
    session = Session()
    preferences = Preferences(session, find_home().settings)
    made = FirstRunDialog(
        preferences, find_home(), describe=lambda: Computing(True, CARD, True)
    )
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def told(dialog: FirstRunDialog) -> str:
    names = [each.text() for each in dialog.findChildren(QAbstractButton)]
    return "\n".join(names)


def test_accepting_goes_on_and_is_kept(dialog: FirstRunDialog) -> None:
    dialog.on.click()
    assert dialog.steps.currentIndex() == DISPLAY
    dialog.seen.click()
    dialog.on.click()
    dialog.reader.setText("  Dr. A.  Reader ")
    dialog.on.click()
    assert dialog.result() == FirstRunDialog.DialogCode.Accepted
    settings, _ = read_settings(find_home().settings)
    assert is_accepted(settings)
    assert was_seen(settings)
    assert settings.reader == "Dr. A. Reader"
    assert settings.language == "auto"


def test_declining_keeps_nothing(dialog: FirstRunDialog) -> None:
    dialog.back.click()
    assert dialog.result() == FirstRunDialog.DialogCode.Rejected
    assert not find_home().settings.exists()


def test_escape_declines(qtbot: QtBot, dialog: FirstRunDialog) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.result() == FirstRunDialog.DialogCode.Rejected
    assert not find_home().settings.exists()


def test_whoever_accepted_may_close_the_rest(dialog: FirstRunDialog) -> None:
    dialog.on.click()
    dialog.reject()
    assert dialog.result() == FirstRunDialog.DialogCode.Accepted
    settings, _ = read_settings(find_home().settings)
    assert is_accepted(settings)
    assert settings.display_check == ""


def test_back_returns_to_the_statement(dialog: FirstRunDialog) -> None:
    dialog.on.click()
    dialog.on.click()
    assert dialog.steps.currentIndex() == PLACES
    dialog.back.click()
    dialog.back.click()
    assert dialog.steps.currentIndex() == STATEMENT


def test_the_card_that_was_found_is_told_when_it_is_known(
    qtbot: QtBot, dialog: FirstRunDialog
) -> None:
    qtbot.waitUntil(lambda: CARD in dialog._found.text())


def test_every_control_has_a_name_and_is_reached(dialog: FirstRunDialog) -> None:
    kinds = (QAbstractButton, QComboBox, QLineEdit)
    controls = [each for kind in kinds for each in dialog.findChildren(kind)]
    assert len(controls) >= 6
    for each in controls:
        assert each.accessibleName()
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_language_is_spoken_at_once_and_kept(
    dialog: FirstRunDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    use_catalogue(monkeypatch, tmp_path, "de", {"I accept": "Annehmen"})
    monkeypatch.setenv("LANGUAGE", "en")
    dialog.language.setCurrentText("Deutsch")
    assert dialog.on.text() == "Annehmen"
    dialog.language.setCurrentIndex(0)
    assert dialog.on.text() == "I accept"
    dialog.language.setCurrentText("Deutsch")
    dialog.on.click()
    dialog.reject()
    assert read_settings(find_home().settings)[0].language == "Deutsch"
    dialog.language.setCurrentIndex(0)
    for translator in dialog.findChildren(QTranslator):
        translator.deleteLater()


def test_the_pattern_has_the_faint_squares(qtbot: QtBot) -> None:
    pattern = Pattern()
    qtbot.addWidget(pattern)
    pattern.resize(500, 96)
    image = pattern.grab().toImage()
    ratio = image.width() / 500
    at = [
        image.pixelColor(round(x * ratio), round(48 * ratio)).red() for x in (20, 52, 448, 480)
    ]
    assert at == [0, 13, 242, 255]


def test_screens_are_told_in_their_own_pixels(qtbot: QtBot) -> None:
    (first, *_) = screens()
    assert first.width_px > 0
    assert first.bits in (8, 10)


def test_a_file_that_cannot_be_written_is_told_by_the_window_later(
    qtbot: QtBot, home: Path
) -> None:
    preferences = Preferences(Session(), home / "settings.toml" / "settings.toml")
    (home / "settings.toml").write_text("")
    made = FirstRunDialog(preferences, find_home(), describe=lambda: Computing(False, "", True))
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.on.click()
    made.reject()
    assert "cannot be written" in preferences.sentence


def test_the_display_is_checked_again(qtbot: QtBot, home: Path) -> None:
    preferences = Preferences(Session(), find_home().settings)
    for seen, told in ((True, "both faint squares were seen"), (False, "not both")):
        dialog = DisplayDialog(preferences, None)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        # Whatever was seen last time.
        assert not dialog.seen.isChecked()
        if seen:
            assert dialog.last.text() == "The display was not checked yet."
            dialog.seen.click()
        dialog.accept()
        settings, _ = read_settings(find_home().settings)
        assert was_seen(settings) is seen
        assert told in last_check(settings)
    unchanged = DisplayDialog(preferences, None)
    qtbot.addWidget(unchanged)
    unchanged.seen.click()
    unchanged.reject()
    assert not was_seen(read_settings(find_home().settings)[0])
