"""The reader's reads off the GUI thread: what the library knows of them, and what she adds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from PySide6.QtCore import QObject, Signal

from ml.errors import MammoError
from ml.files import replacing
from ml.texts import counted, mark, translate
from viewer.core.outcomes import add_outcome
from viewer.core.read_study import learnt
from viewer.core.reading import utc_now
from viewer.jobs.corrections import study_date_of, write_corrections
from viewer.jobs.job import Job
from viewer.jobs.teaching import propose
from viewer.qt.memory import filed_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.mammo.codes import Laterality
    from viewer.core.decision import Outcome
    from viewer.core.read_study import KnownFields, ReadStudy
    from viewer.jobs.corrections import Written
    from viewer.jobs.job import Lane
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.preferences import Preferences
    from viewer.qt.session import Session

_Result = TypeVar("_Result")


class Reads(QObject):
    """Reads and adds to what the library holds of the reader's word.

    Parameters
    ----------
    now
        Gives the time that is kept with what she says.

    Signals
    -------
    read : tuple of ReadStudy
        All studies, anew.
    proposed : Proposals
        The unread cases that would teach most.
    told : str
        What was written, or why something could not be.
    """

    read = Signal(object)
    proposed = Signal(object)
    told = Signal(str)

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        runner: JobRunner,
        library: Library,
        now: Callable[[], str] = utc_now,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._runner = runner
        self._library = library
        self._now = now
        self._dates: dict[str, str] = {}

    @property
    def reader(self) -> str:
        """Her name; empty until she was asked."""
        return self._preferences.settings.reader

    def refresh(self) -> None:
        """Read the words first, and rank the rest beside that."""
        pattern = self._preferences.settings.patient_pattern
        library = self._library
        self._run(
            translate(mark("Reading your reads")),
            library.read_studies,
            self.read.emit,
            "library",
        )
        # Headers are read for this: on the disk's lane, where it delays no decision.
        self._run(
            translate(mark("Ranking unread studies")),
            partial(propose, library, pattern),
            self.proposed.emit,
        )

    def look_up_date(self, study: ReadStudy) -> None:
        """Find out when a study was made: its files say so."""
        if not self._dates.get(study.uid):
            self._run(
                translate(mark("Reading the date of a study")),
                partial(study_date_of, self._library, study.uid),
                partial(self._dates.__setitem__, study.uid),
            )

    def study_date(self, study: ReadStudy) -> str:
        """When a study was made, DA form; empty while that is not known."""
        return self._dates.get(study.uid, "")

    def keep(self, study: ReadStudy, side: Laterality, known: KnownFields) -> None:
        """Add what became known of a breast, and read everything again."""
        outcome = learnt(study, side, known, (self.reader, self._now()))
        shown = self._session.state.study
        if shown is not None and filed_as(shown) == study.uid:
            # Of the open study the session holds the history, and writes it on the same lane.
            action = partial(add_outcome, study_uid=shown.uid, outcome=outcome)
            self._session.apply(action)
            self.refresh()
            return
        self._run(
            translate(mark("Keeping your decision")),
            partial(self._add, study.uid, outcome),
            lambda _: self.refresh(),
            "library",
        )

    def save(self, path: Path, text: str) -> None:
        """Write a text into a file."""
        done = translate(mark("Saved as {name}.")).format(name=path.name)
        title = translate(mark("Saving {name}")).format(name=path.name)
        self._run(title, partial(_write, path, text), lambda _: self.told.emit(done))

    def write_corrections(self, folder: Path) -> None:
        """Write the reader's corrections as a data set for trainings."""
        title = translate(mark("Writing your corrections"))
        pattern = self._preferences.settings.patient_pattern
        work = partial(
            write_corrections,
            self._library,
            folder,
            pattern,
            partial(self._runner.report, title),
        )
        self._run(title, work, lambda written: self.told.emit(written_text(written)))

    def _add(self, study_uid: str, outcome: Outcome) -> None:
        self._library.add_words([(study_uid, uuid4().hex, outcome)])

    def _run(
        self,
        title: str,
        work: Callable[[], _Result],
        done: Callable[[_Result], object],
        lane: Lane = "disk",
    ) -> None:
        def heard(result: _Result) -> None:
            done(result)

        self._runner.submit(Job(title, work, lane), heard, self._on_failed)

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            self.told.emit(translate(mark("It cannot be saved: {why}.")).format(why=why))
        elif isinstance(error, MammoError):
            self.told.emit(str(error))
        else:
            raise error


def written_text(written: Written) -> str:
    """What a data set of corrections holds, and what was left out."""
    text = counted(
        "{images} image in {folder}: findings: {boxes}, hard negatives: {hard}, images with a "
        "proven outcome: {proven}.",
        "{images} images in {folder}: findings: {boxes}, hard negatives: {hard}, images with a "
        "proven outcome: {proven}.",
        written.images,
    ).format(
        images=written.images,
        folder=written.folder.name,
        boxes=written.boxes,
        hard=written.hard,
        proven=written.proven,
    )
    parts = (
        (
            written.synthetic,
            counted("{count} synthetic study", "{count} synthetic studies", written.synthetic),
        ),
        (
            written.away,
            counted(
                "{count} image that is not where it was",
                "{count} images that are not where they were",
                written.away,
            ),
        ),
        (
            written.contradicted,
            counted(
                "{count} image with a finding in a normal breast",
                "{count} images with a finding in a normal breast",
                written.contradicted,
            ),
        ),
    )
    left = [words.format(count=count) for count, words in parts if count]
    if not left:
        return text
    return f"{text} " + translate(mark("Left out: {what}.")).format(what=", ".join(left))


def _write(path: Path, text: str) -> None:
    with replacing(path) as fresh:
        fresh.write_text(text, "utf-8", newline="")
