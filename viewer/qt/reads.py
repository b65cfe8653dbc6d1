"""The reader's reads off the GUI thread: what the library knows of them, and what she adds."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from PySide6.QtCore import QObject, Signal

from ml.errors import MammoError
from ml.files import replacing
from ml.texts import counted, mark, translate
from viewer.core import actions
from viewer.core.home import find_home
from viewer.core.outcomes import add_outcome
from viewer.core.read_study import learnt
from viewer.core.reading import utc_now
from viewer.jobs.corrections import study_date_of, write_corrections
from viewer.jobs.job import Job
from viewer.jobs.listed_study import nothing_text, take_study
from viewer.jobs.teaching import propose
from viewer.qt.memory import filed_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml.mammo.codes import Laterality
    from ml.screen.ranking import StudyRank
    from viewer.core.read_study import KnownFields, ReadStudy
    from viewer.core.state import SessionState
    from viewer.jobs.corrections import Written
    from viewer.jobs.job import Lane
    from viewer.jobs.listed_study import Taken
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
        self._copies: tempfile.TemporaryDirectory[str] | None = None

    @property
    def reader(self) -> str:
        """Her name; empty until she was asked."""
        return self._preferences.settings.reader

    def refresh(self) -> None:
        """Read the words first, and rank the rest beside that."""
        pattern = self._preferences.settings.patient_pattern
        library = self._library
        self.read_words()
        # Headers are read for this: on the disk's lane, where it delays no decision.
        self._run(
            translate(mark("Ranking unread studies")),
            partial(propose, library, find_home(), pattern),
            self.proposed.emit,
        )

    def read_words(self) -> None:
        """Read what was said of every study."""
        # The last window that comes to the front while the program ends asks for nothing.
        if not self._runner.is_closed:
            title = translate(mark("Reading your reads"))
            self._run(title, self._library.read_studies, self.read.emit, "library")

    def open_listed(self, rank: StudyRank) -> None:
        """Open a study of a screening's list, from where its images lie."""
        title = translate(mark("Reading a study of the list"))
        before = self._session.state.study

        def show(taken: Taken) -> None:
            now = self._session.state
            # Whoever went elsewhere meanwhile does not wait for it any more.
            opened = taken if now.study is before else None
            if opened is not None or now.opening == title:
                self._session.apply(partial(_with_opened, taken=opened), step=False)
            if not taken.studies:
                self.told.emit(nothing_text(taken))

        self._session.apply(partial(actions.begin_opening, sentence=title), step=False)
        self._run(title, partial(take_study, rank, self._folder()), show)

    def _folder(self) -> Path:
        """For what lies in archives; a folder for each study, gone with the program."""
        if self._copies is None:
            self._copies = tempfile.TemporaryDirectory(
                prefix="mammoscope-", ignore_cleanup_errors=True
            )
        return Path(self._copies.name) / uuid4().hex

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
        """Add what became known of a breast, and read everything again.

        What was said of it since `study` was read stays, where `known` does not change it.
        """
        said = (self.reader, self._now())
        state, shown = self._session.state, self._session.state.study
        if shown is not None and filed_as(shown) == study.uid:
            # Of the open study the session holds the history, and writes it on the same lane;
            # just after opening what the library kept may not be there yet.
            latest = max(state.outcomes, study.outcomes, key=len)
            outcome = learnt(study, side, known, said, latest)
            action = partial(add_outcome, study_uid=shown.uid, outcome=outcome)
            self._session.apply(action)
            self.refresh()
            return
        self._run(
            translate(mark("Keeping your decision")),
            partial(self._add, study, side, known, said),
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

    def _add(
        self, study: ReadStudy, side: Laterality, known: KnownFields, said: tuple[str, str]
    ) -> None:
        outcome = learnt(study, side, known, said, self._library.outcomes_of(study.uid))
        self._library.add_words([(study.uid, uuid4().hex, outcome)])

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


def _with_opened(state: SessionState, taken: Taken | None) -> SessionState:
    """A state with a study that was read; None: it is not wanted any more."""
    if taken is None:
        return actions.begin_opening(state, "")
    return actions.open_studies(state, taken.studies, taken.refusals)


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
