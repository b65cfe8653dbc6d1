"""Take a newer version of the program from a file, and go back to the one before."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
)

from ml.control import Stopped
from ml.errors import MammoError
from ml.texts import mark, translate
from viewer.core.home import find_home
from viewer.jobs.updating import Watched, update_job
from viewer.qt.dialogs.base import PAGE, Button, Dialog, bring_up, name_button
from viewer.update.install import version_in_use
from viewer.update.program import running_program
from viewer.update.versions import going_back, read_versions, without_last, write_versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QLabel, QWidget

    from viewer.qt.job_runner import JobHandle, JobRunner
    from viewer.qt.preferences import Preferences
    from viewer.update.program import Program
    from viewer.update.versions import Installed

FILES = mark("Updates (*.tar.xz *.tar.gz);;All files (*)")
_WIDTH_PX = 620
_PERCENT = 100
_log = logging.getLogger("viewer.qt")


class UpdateDialog(Dialog):
    """Which version is in use; the file of a newer one; the way back.

    Parameters
    ----------
    folder
        Of the versions that updates brought.
    program
        What runs.
    further_keys
        Public keys whose updates the user takes.

    Signals
    -------
    restart_requested
        The program is to be closed and started again.
    """

    restart_requested = Signal()
    _went_on = Signal(int, int)

    def __init__(
        self,
        folder: Path,
        program: Program,
        further_keys: str,
        runner: JobRunner,
        parent: QWidget | None,
    ) -> None:
        super().__init__(translate("Update from a file"), parent)
        self.setProperty(PAGE, "updating.md")
        self._folder, self._program, self._keys = folder, program, further_keys
        self._runner = runner
        self._control = Watched(self._went_on.emit)
        self._taking: JobHandle | None = None
        sentence = translate("This is version {version}.")
        self.version = self.add_text(sentence.format(version=program.version))
        self.add_text(
            translate(
                "Choose the archive of a newer version; the file that ends in .minisig lies "
                "beside it. Library, models and settings stay as they are, and you can go back "
                "to the version that you have."
            )
        )
        self.file, self.choose = QLineEdit(), QPushButton()
        self._add_row()
        self.progress = QProgressBar()
        self.progress.setAccessibleName(translate("Progress"))
        self.rows.addWidget(self.progress)
        self.sentence = self.add_text("")
        self.rows.addStretch(1)
        self.take, self.back, self.restart = QPushButton(), QPushButton(), QPushButton()
        self._add_buttons()
        self.progress.hide()
        self.sentence.hide()
        self._went_on.connect(self._on_progress)
        self.file.textChanged.connect(self._enable)
        self.finished.connect(self._forget)
        self._show_way_back()
        self.setMinimumWidth(_WIDTH_PX)

    def _add_row(self) -> None:
        self.file.setAccessibleName(translate("The update"))
        self.file.setPlaceholderText("mammoscope-….tar.xz")
        name_button(self.choose, translate("Choose…"))
        self.choose.setAutoDefault(False)
        self.choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(self.file, 1)
        row.addWidget(self.choose)
        self.rows.addLayout(row)

    def _add_buttons(self) -> None:
        box = self.add_buttons(Button.Close)
        for button, role, pressed in (
            (self.back, box.ButtonRole.ResetRole, self._go_back),
            (self.take, box.ButtonRole.ActionRole, self._take),
            (self.restart, box.ButtonRole.ActionRole, self.restart_requested.emit),
        ):
            box.addButton(button, role)
            button.setAutoDefault(False)
            button.clicked.connect(pressed)
        name_button(self.take, translate("Update"))
        name_button(self.restart, translate("Start again now"))
        self.take.setProperty("kind", "deed")
        self.restart.hide()

    def _choose(self) -> None:
        title = translate("Choose an update")
        name, _ = QFileDialog.getOpenFileName(self, title, "", translate(FILES))
        if name:
            self.file.setText(name)

    def _enable(self) -> None:
        idle = self._taking is None
        for widget in (self.file, self.choose, self.back):
            widget.setEnabled(idle)
        self.take.setEnabled(idle and bool(self.file.text().strip()))

    def _show_way_back(self) -> None:
        """Offer the way back, where there is one."""
        versions = read_versions(self._folder)
        number, _ = version_in_use(self._folder, self._program)
        # Nothing to leave where what is installed is newer than the last update.
        last = versions.last if versions.last and versions.last.version == number else None
        self.back.setVisible(last is not None)
        if last is not None:
            name_button(self.back, self._word_of_way_back(last))
        self._enable()

    def _word_of_way_back(self, last: Installed) -> str:
        versions = read_versions(self._folder)
        if versions.going_back:
            return translate("Stay with version {version}").format(version=last.version)
        before = without_last(versions).last
        number = before.version if before else self._installed_version()
        if not number:
            return translate("Go back to the version before")
        return translate("Go back to version {version}").format(version=number)

    def _installed_version(self) -> str:
        """Of the installed program, where it is the one that runs; else it is not known."""
        own = self._program.folder == self._program.installed
        return self._program.version if own else ""

    def _take(self) -> None:
        self._say(translate("Checking whose the update is, and unpacking it…"))
        self.progress.setRange(0, 0)
        self.progress.show()
        file = Path(self.file.text().strip())
        job = update_job(file, self._folder, self._program, self._keys, self._control)
        self._taking = self._runner.submit(job, self._on_taken, self._on_failed)
        self._enable()

    def _on_progress(self, done: int, of: int) -> None:
        percent = round(_PERCENT * done / of) if of else _PERCENT
        self.progress.setRange(0, _PERCENT if percent < _PERCENT else 0)
        self.progress.setValue(percent)
        if percent >= _PERCENT:
            self._say(translate("The new version tests itself; that takes up to a minute…"))

    def _on_taken(self, new: Installed) -> None:
        self._end()
        self._show_way_back()
        self.file.clear()
        self._offer_restart(new.version)

    def _on_failed(self, error: Exception) -> None:
        self._end()
        self._enable()
        if isinstance(error, Stopped):
            return
        if not isinstance(error, MammoError):
            raise error
        _log.info("an update was refused: %s %s", error.template, error.detail)
        self._say(str(error))

    def _go_back(self) -> None:
        versions = read_versions(self._folder)
        wanted = not versions.going_back
        try:
            write_versions(self._folder, going_back(versions, wanted=wanted))
        except OSError as error:
            sentence = translate("The wish cannot be written down: {why}.")
            self._say(sentence.format(why=error.strerror))
            return
        self._show_way_back()
        if wanted:
            self._say(
                translate(
                    "The version before opens at the next start; what only this one could "
                    "write into the library stays in a copy beside it."
                )
            )
        else:
            self._say(translate("This version stays in use."))
        self.restart.setVisible(wanted)

    def _offer_restart(self, version: str) -> None:
        sentence = translate("Version {version} is ready. It opens at the next start.")
        self._say(sentence.format(version=version))
        self.restart.show()

    def _end(self) -> None:
        self._taking = None
        self.progress.hide()

    def _forget(self) -> None:
        # Closed meanwhile: what was unpacked is removed, and nobody waits for the answer.
        if self._taking is not None:
            self._control.end()
            self._taking.cancel()

    def _say(self, sentence: str) -> None:
        _tell(self.sentence, sentence)


def _tell(where: QLabel, sentence: str) -> None:
    where.setText(sentence)
    where.setAccessibleName(sentence)
    where.show()


def show_update(
    preferences: Preferences,
    runner: JobRunner,
    restart: Callable[[], None],
    parent: QWidget,
) -> None:
    """Open the dialog, or bring it to the front."""
    if bring_up(parent, UpdateDialog):
        return
    keys = preferences.settings.trusted_keys
    dialog = UpdateDialog(find_home().versions, running_program(), keys, runner, parent)
    dialog.restart_requested.connect(restart)
    dialog.show()
