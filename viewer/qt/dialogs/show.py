"""Open the dialogs: one function each, for the menus. None of them blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.core.commands import shortcut_sections
from viewer.qt.dialogs.about import AboutDialog, model_lines
from viewer.qt.dialogs.broken import BrokenDialog
from viewer.qt.dialogs.refused import RefusedFilesDialog
from viewer.qt.dialogs.settings import SettingsDialog
from viewer.qt.dialogs.shortcuts import ShortcutsDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QWidget

    from viewer.core.settings import Settings
    from viewer.core.state import Refusal


def show_shortcuts(parent: QWidget | None) -> ShortcutsDialog:
    """Show every command and its keys."""
    dialog = ShortcutsDialog(shortcut_sections(), parent)
    dialog.open()
    return dialog


def show_about(parent: QWidget | None) -> AboutDialog:
    """Show versions, models and licences."""
    dialog = AboutDialog(model_lines(), parent)
    dialog.open()
    return dialog


def show_refused_files(
    parent: QWidget | None, refusals: Sequence[Refusal]
) -> RefusedFilesDialog:
    """Show which files were not opened, and why."""
    dialog = RefusedFilesDialog(refusals, parent)
    dialog.open()
    return dialog


def show_settings(
    parent: QWidget | None, settings: Settings, accepted: Callable[[Settings], None]
) -> SettingsDialog:
    """Let the user change the settings; `accepted` gets the new ones when she presses OK."""
    dialog = SettingsDialog(settings, accepted, parent)
    dialog.open()
    return dialog


def show_broken(parent: QWidget | None, report: str) -> BrokenDialog:
    """Show that something broke, with a report to copy."""
    dialog = BrokenDialog(report, parent)
    dialog.open()
    return dialog
