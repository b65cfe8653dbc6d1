"""Which data sets the next training learns from: chosen one by one, counted together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from ml.texts import translate
from viewer.jobs.corrections import write_corrections
from viewer.jobs.job import Job
from viewer.jobs.retrain_tables import finished, kept_of
from viewer.jobs.retrained import count_data

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from viewer.core.retraining import Counted, Made
    from viewer.library.job_row import JobRow
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.retraining.data_page import DataPage

    _Change = Callable[[tuple[Path, ...]], tuple[Path, ...]]


class Choosing(QObject):
    """Fills the page of the data; what cannot be read is told there, and changes nothing.

    Parameters
    ----------
    corrections
        Gives the job that writes what the reader corrected as a data set; None: there is no
        library.
    kept
        Gets tables of what the reader keeps of a generation, where that is not all of it.

    Signals
    -------
    changed
        Other data are chosen.
    offered : tuple of Made
        These generations are finished and may be added.
    """

    changed = Signal()
    offered = Signal(object)

    def __init__(
        self,
        page: DataPage,
        runner: JobRunner,
        corrections: Callable[[], Job[Path] | None],
        kept: Path,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page, self._runner, self._corrections = page, runner, corrections
        self._kept = kept
        self.counted: Counted | None = None
        self._waiting: list[_Change] = []
        page.folder_requested.connect(self.choose_folder)
        page.table_requested.connect(self.choose_table)
        page.corrections_requested.connect(self.add_corrections)
        page.made_requested.connect(self.add_made)
        page.taken_out.connect(self.take_out)

    @property
    def sets(self) -> tuple[Path, ...]:
        """The folders or tables."""
        return tuple(map(Path, self.counted.sets)) if self.counted else ()

    def choose_folder(self) -> None:
        """Ask for a folder with a manifest."""
        title = translate("Choose a data set")
        if name := QFileDialog.getExistingDirectory(self._page, title):
            self.add(Path(name))

    def choose_table(self) -> None:
        """Ask for a manifest's file."""
        title = translate("Choose a manifest")
        name, _ = QFileDialog.getOpenFileName(self._page, title, filter="manifest (*.csv)")
        if name:
            self.add(Path(name))

    def add(self, data: Path) -> None:
        """Add a data set; one that was added before is counted anew."""
        self._change(lambda sets: (*(one for one in sets if one != data), data))

    def take_out(self, data: str) -> None:
        """Let a data set have no part in it."""
        self._change(lambda sets: tuple(one for one in sets if str(one) != data))

    def add_corrections(self) -> None:
        """Write what the reader corrected as a data set, and add it."""
        job = self._corrections()
        if job is None:
            self._page.say(translate("There is no library: nothing that you said is kept."))
        else:
            self._runner.attempt(job, self.add, self._page.say)

    def offer(self, rows: Sequence[JobRow]) -> None:
        """Look which generations are finished, and offer them."""
        job = Job(translate("Looking for synthetic images"), partial(finished, rows))
        self._runner.attempt(job, self._offer, self._page.say)

    def _offer(self, made: tuple[Made, ...]) -> None:
        self._page.show_made(made)
        self.offered.emit(made)

    def add_made(self, folder: str) -> None:
        """Add what is kept of a generation."""
        title = translate("Reading {name}").format(name=Path(folder).name)
        job = Job(title, partial(kept_of, Path(folder), self._kept))
        self._runner.attempt(job, self.add, self._page.say)

    def take(self, counted: Counted | None) -> None:
        """Show what was counted; None: nothing is chosen."""
        self.counted = counted
        self._page.show_counted(counted)
        self.changed.emit()

    def _change(self, change: _Change) -> None:
        """One change after the other: each is made of what the one before it came to."""
        self._waiting.append(change)
        if len(self._waiting) == 1:
            self._count()

    def _count(self) -> None:
        sets = self._waiting[0](self.sets)
        if not sets:
            self._counted(None)
            return
        title = translate("Counting {name}").format(name=sets[-1].name)
        job = Job(title, partial(count_data, sets))
        self._runner.attempt(job, self._counted, self._refused)

    def _counted(self, counted: Counted | None) -> None:
        self.take(counted)
        self._go_on()

    def _refused(self, sentence: str) -> None:
        self._page.say(sentence)
        self._go_on()

    def _go_on(self) -> None:
        self._waiting.pop(0)
        if self._waiting:
            self._count()


def corrections_job(library: Library, folder: Path, patient_pattern: str) -> Job[Path]:
    """Write what the reader corrected; gives the folder."""

    def work() -> Path:
        write_corrections(library, folder, patient_pattern)
        return folder

    return Job(translate("Writing your corrections"), work)
