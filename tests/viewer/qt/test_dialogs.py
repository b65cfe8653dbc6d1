from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from ml.mammo.prepare import PrepareSpec
from ml.registry import Figure, ModelCard
from tests.factories.analyses import POINT
from viewer.core.commands import COMMANDS, shortcut_sections
from viewer.core.settings import Settings, descriptions
from viewer.core.state import Refusal
from viewer.qt.dialogs.about import AboutDialog, card_lines
from viewer.qt.dialogs.broken import BrokenDialog, install_excepthook
from viewer.qt.dialogs.folder_row import FolderRow
from viewer.qt.dialogs.refused import RefusedFilesDialog
from viewer.qt.dialogs.settings import SettingsDialog
from viewer.qt.dialogs.shortcuts import ShortcutsDialog
from viewer.qt.dialogs.show import (
    show_about,
    show_broken,
    show_refused_files,
    show_settings,
    show_shortcuts,
)
from viewer.qt.log_file import start_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

ODD = Settings(
    blind_first_read=True,
    device="cpu",
    patient_pattern="P_[0-9]+",
    disk_threads=9,
    accepted="1 2026-11-30",
)


def all_dialogs() -> list[Callable[[], QWidget]]:
    return [
        lambda: SettingsDialog(ODD, lambda settings: None, None),
        lambda: RefusedFilesDialog([Refusal(Path("a.dcm"), "It is short.")], None),
        lambda: AboutDialog(["detector 1.2.0"], None),
        lambda: BrokenDialog("a report", None),
        lambda: ShortcutsDialog(shortcut_sections(), None),
    ]


@pytest.mark.parametrize("make", all_dialogs())
def test_every_control_has_a_name_and_is_reached_by_the_keyboard(
    qtbot: QtBot, make: Callable[[], QWidget]
):
    dialog = make()
    qtbot.addWidget(dialog)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit)
    controls = [
        each
        for kind in kinds
        for each in dialog.findChildren(kind)
        if not isinstance(each.parent(), QAbstractSpinBox)
    ]
    assert controls
    for control in controls:
        assert control.accessibleName(), control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control


def test_the_settings_dialog_has_every_setting_and_hands_them_back(qtbot: QtBot):
    taken: list[Settings] = []
    dialog = SettingsDialog(ODD, taken.append, None)
    qtbot.addWidget(dialog)
    assert set(dialog.editors) == {each.name for each in descriptions() if not each.kept}
    dialog.accept()
    assert taken == [ODD]


def test_settings_are_changed_with_their_editors(qtbot: QtBot):
    taken: list[Settings] = []
    dialog = SettingsDialog(Settings(), taken.append, None)
    qtbot.addWidget(dialog)
    blind, threads = dialog.editors["blind_first_read"], dialog.editors["disk_threads"]
    assert isinstance(blind, QCheckBox)
    assert isinstance(threads, QSpinBox)
    blind.click()
    threads.setValue(99)
    dialog.accept()
    assert taken == [replace(Settings(), blind_first_read=True, disk_threads=32)]


def test_a_wrong_value_keeps_the_dialog_open_and_says_why(qtbot: QtBot):
    taken: list[Settings] = []
    dialog = SettingsDialog(Settings(), taken.append, None)
    qtbot.addWidget(dialog)
    dialog.show()
    pattern = dialog.editors["patient_pattern"]
    assert isinstance(pattern, QLineEdit)
    pattern.setText("(")
    dialog.accept()
    assert taken == []
    assert dialog.isVisible()
    assert "regular expression" in dialog.problem.text()
    pattern.setText("P")
    dialog.accept()
    assert taken[0].patient_pattern == "P"


def test_defaults_come_back_with_a_button(qtbot: QtBot):
    taken: list[Settings] = []
    dialog = SettingsDialog(ODD, taken.append, None)
    qtbot.addWidget(dialog)
    box = dialog.findChild(QDialogButtonBox)
    assert box is not None
    box.button(QDialogButtonBox.StandardButton.RestoreDefaults).click()
    dialog.accept()
    assert taken == [Settings(accepted=ODD.accepted)]


def test_every_refused_file_stands_with_its_sentence(qtbot: QtBot):
    refusals = [Refusal(Path(f"{n}.dcm"), f"Reason {n}.") for n in range(30)]
    dialog = RefusedFilesDialog(refusals, None)
    qtbot.addWidget(dialog)
    text = dialog.page.toPlainText()
    assert all(f"{n}.dcm" in text and f"Reason {n}." in text for n in range(30))


def test_about_names_models_versions_licence_and_purpose(qtbot: QtBot):
    dialog = AboutDialog(["detector 1.2.0 · CC BY 4.0"], None)
    qtbot.addWidget(dialog)
    text = dialog.page.toPlainText()
    for part in ("AGPL-3.0", "detector 1.2.0 · CC BY 4.0", "PySide6", "pydicom"):
        assert part in text
    words = [each.accessibleName() for each in dialog.findChildren(QWidget)]
    assert any("Research use only" in each for each in words)


def test_a_card_is_told_with_its_figures_and_intervals():
    card = ModelCard(
        *("detector", "1.2.0", "detector", "AGPL-3.0", "Phantoms."),
        *("Research.", (POINT,), PrepareSpec(), {}),
        figures=(Figure("sensitivity", 0.9, 0.8, 0.95, 120, "phantoms"),),
    )
    lines = card_lines(card)
    assert lines[0] == "detector 1.2.0 (detector)"
    assert any("0.90 (0.80 to 0.95), n = 120" in line for line in lines)


def test_a_report_can_be_copied(qtbot: QtBot):
    dialog = BrokenDialog("what broke", None)
    qtbot.addWidget(dialog)
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == "what broke"


def test_an_error_that_nothing_caught_is_logged_and_shown_without_its_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    shown: list[str] = []
    install_excepthook(shown.append)
    error = ValueError("TEST^SECRET")
    sys.excepthook(ValueError, error, None)
    assert "builtins.ValueError" in shown[0]
    assert "SECRET" not in shown[0] + caplog.text
    assert "something broke" in caplog.text
    caplog.clear()


def test_the_shortcut_list_has_every_command(qtbot: QtBot):
    dialog = ShortcutsDialog(shortcut_sections(), None)
    qtbot.addWidget(dialog)
    menus = [dialog.tree.topLevelItem(row) for row in range(dialog.tree.topLevelItemCount())]
    assert sum(menu.childCount() for menu in menus if menu is not None) == len(COMMANDS)


def test_the_menus_open_every_dialog_without_blocking(qtbot: QtBot):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialogs = (
        show_shortcuts(parent),
        show_about(parent),
        show_refused_files(parent, ()),
        show_settings(parent, ODD, lambda settings: None),
        show_broken(parent, "a report"),
    )
    for dialog in dialogs:
        assert dialog.isVisible()
        dialog.close()


def test_settings_are_found_by_title_sentence_and_name(qtbot: QtBot):
    dialog = SettingsDialog(ODD, lambda settings: None, None)
    qtbot.addWidget(dialog)
    dialog.show()

    def shown() -> set[str]:
        return {name for name, each in dialog.editors.items() if each.isVisible()}

    every = shown()
    assert every == set(dialog.editors)
    for words, name in (
        ("BLÍND first", "blind_first_read"),
        ("cuda", "device"),
        ("pixel_cache", "pixel_cache_mb"),
    ):
        dialog.search.setText(words)
        assert shown() == {name}
        assert not dialog.nothing.isVisible()
    dialog.search.setText("xyzzy")
    assert shown() == set()
    assert dialog.nothing.isVisible()
    dialog.search.clear()
    assert shown() == every


def test_return_in_the_search_of_the_settings_accepts_nothing(qtbot: QtBot):
    taken: list[Settings] = []
    dialog = SettingsDialog(ODD, taken.append, None)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClicks(dialog.search, "device")
    qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.isVisible()
    qtbot.keyClick(dialog.search, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert dialog.search.text() == ""
    dialog.accept()
    assert taken == [ODD]


def test_a_report_is_saved_where_it_can_be(qtbot: QtBot, tmp_path: Path):
    dialog = BrokenDialog("what broke", None)
    qtbot.addWidget(dialog)
    dialog.save(tmp_path / "no" / "a.txt")
    assert "cannot be written" in dialog.saved.text()
    dialog.save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "what broke"
    assert str(tmp_path) in dialog.saved.text()


def test_a_report_of_what_broke_has_the_log_without_who_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    start_log(tmp_path)
    logging.getLogger("viewer.qt").info("opened %s for DOE^JANE", "/mnt/Doe Jane/1.dcm")
    logging.getLogger("ml").info("kept P-4711\nand more")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    shown: list[str] = []
    install_excepthook(shown.append, lambda: ("P-4711",))
    sys.excepthook(ValueError, ValueError("x"), None)
    assert "INFO viewer.qt opened <path>" in shown[0]
    assert "INFO ml kept <identity>" in shown[0]
    for secret in ("DOE", "Jane", "4711", "and more"):
        assert secret not in shown[0]
    caplog.clear()


def test_about_names_the_folder_of_the_data_and_is_copied(qtbot: QtBot, home: Path):
    dialog = AboutDialog(["detector 1.2.0"], None)
    qtbot.addWidget(dialog)
    assert dialog.folder.path.text() == str(home)
    dialog.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Mammoscope ")
    assert "detector 1.2.0" in copied


def test_the_folder_of_the_data_is_made_and_opened(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr(
        "viewer.qt.dialogs.folder_row.QDesktopServices.openUrl",
        lambda url: opened.append(url.toLocalFile()),
    )
    row = FolderRow(tmp_path / "a" / "b")
    qtbot.addWidget(row)
    row.button.click()
    assert opened == [str(tmp_path / "a" / "b")]
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    blocked = FolderRow(tmp_path / "file" / "b")
    qtbot.addWidget(blocked)
    blocked.button.click()
    assert "cannot be made" in blocked.path.text()
