"""Opens the list of reads over the main window, and asks where corrections shall go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from ml.texts import translate
from viewer.qt.dialogs.base import bring_up
from viewer.qt.dialogs.outcomes import OutcomesDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from viewer.qt.preferences import Preferences
    from viewer.qt.reads import Reads


def show_outcomes(
    reads: Reads,
    preferences: Preferences,
    open_paths: Callable[[list[Path]], object],
    parent: QWidget,
) -> None:
    """Show the reads and their outcomes over a window.

    Parameters
    ----------
    preferences
        Keep the reader's name, where she was not asked before.
    open_paths
        Opens files in the viewer, which then comes to the front.
    """
    if bring_up(parent, OutcomesDialog):
        return

    def open_path(path: Path) -> None:
        open_paths([path])
        parent.raise_()
        parent.activateWindow()

    OutcomesDialog(reads, open_path, preferences.name_reader, parent).show()


def ask_corrections(reads: Reads, parent: QWidget) -> None:
    """Ask for a folder, and write the reader's corrections into it."""
    name = QFileDialog.getExistingDirectory(parent, translate("Folder for your corrections"))
    if name:
        reads.write_corrections(Path(name))
