"""What the library keeps of a session, and brings back when a study is opened again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import uuid4

from PySide6.QtCore import QObject, QTimer, Signal

from ml.exchange import image_facts
from ml.findings import Analysis
from ml.texts import translate
from viewer.core.deciding import restore_decisions
from viewer.core.decision import Decision, Outcome
from viewer.core.errors import LibraryError
from viewer.core.outcomes import restore_outcomes
from viewer.core.reading import is_untouched, restore_reading, utc_now
from viewer.core.state import Reading
from viewer.jobs.job import Job
from viewer.library.library import RecentStudy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ml.findings import ImageAnalysis, ModelUse
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study
    from viewer.core.state import SessionState
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.session import Session

_Words = tuple[str, str, Decision | Outcome]
_Result = TypeVar("_Result")
# No UID begins so.
SYNTHETIC = "synthetic:"


class Memory(QObject):
    """Follow a session: each study, reading, analysis and word goes into the library at once.

    Parameters
    ----------
    now
        Gives the time that is kept with an opened study.
    runner
        Writes and reads the reader's words off the GUI thread, in order; None: at once.

    Signals
    -------
    failed : str
        What the reader decided could not be written (yet); the sentence says why.
    """

    failed = Signal(str)

    def __init__(
        self,
        session: Session,
        library: Library,
        now: Callable[[], str] = utc_now,
        parent: QObject | None = None,
        runner: JobRunner | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self._now = now
        self._runner = runner
        self._restoring = False
        self._openings = 0
        # What the library has not confirmed yet: it goes along with the next words, too.
        self._unwritten: list[_Words] = []
        self._told = False
        session.changed.connect(self._on_changed)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        study = new.study
        if study is None:
            return
        if old.study is not study or _is_opened_anew(old, new):
            self._openings += 1
            # Before anything of this opening is written in its place.
            kept = self._library.reading_of(filed_as(study))
            self._library.remember_study(recent_study(study, self._now()))
            # A change inside a change would reach the other listeners in the wrong order.
            QTimer.singleShot(0, self, lambda: self._restore(study, kept))
            self._ask_words(study)
        else:
            self._keep_what_was_said(study, old, new)
        analysis = new.analysis
        if analysis is not None and analysis is not old.analysis and not analysis.kept:
            self._library.keep_analysis(_filed(analysis, study), makers_of(study))

    def _keep_what_was_said(self, study: Study, old: SessionState, new: SessionState) -> None:
        if new.reading != old.reading:
            self._library.keep_reading(filed_as(study), new.reading, new.reader)
        if not self._restoring:
            decisions = new.decisions[len(old.decisions) :]
            said = new.outcomes[len(old.outcomes) :]
            self._keep_words(study, (*decisions, *said))

    def _restore(self, study: Study, kept: Reading | None) -> None:
        state = self._session.state
        if kept is not None and state.study is study and is_untouched(state.reading):
            self._session.apply(lambda now: restore_reading(now, kept))

    def _keep_words(self, study: Study, words: Sequence[Decision | Outcome]) -> None:
        if not words:
            return
        name = filed_as(study)
        self._unwritten += [(name, uuid4().hex, filed_word(word, study)) for word in words]
        wanted = tuple(self._unwritten)
        self._run(
            Job(
                translate("Keeping your decision"),
                partial(self._library.add_words, wanted),
                "library",
            ),
            lambda _: self._on_written(wanted),
        )

    def _on_written(self, words: tuple[_Words, ...]) -> None:
        self._unwritten = [each for each in self._unwritten if each not in words]
        self._told = False

    def _ask_words(self, study: Study) -> None:
        """Read what was said of the study before; after all that is still to be written."""
        name, library, opening = filed_as(study), self._library, self._openings

        def read() -> tuple[tuple[Decision, ...], tuple[Outcome, ...]]:
            return library.decisions_of(name), library.outcomes_of(name)

        job = Job(translate("Reading your decisions"), read, "library")
        self._run(job, lambda words: self._restore_words(study, opening, *words))

    def _restore_words(
        self,
        study: Study,
        opening: int,
        decisions: tuple[Decision, ...],
        said: tuple[Outcome, ...],
    ) -> None:
        if self._session.state.study is not study or opening != self._openings:
            return
        own = tuple(opened_word(each, study) for each in decisions)
        self._restoring = True
        try:
            self._session.apply(
                lambda state: restore_outcomes(restore_decisions(state, own), said), step=False
            )
        finally:
            self._restoring = False

    def _run(self, job: Job[_Result], done: Callable[[_Result], None]) -> None:
        if self._runner is not None:
            self._runner.submit(job, done, self._on_failed)
            return
        try:
            result = cast("_Result", job.work())
        except LibraryError as error:
            self._on_failed(error)
            return
        # As with a runner: a change inside a change would be heard in the wrong order.
        QTimer.singleShot(0, self, lambda: done(result))

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, LibraryError):
            raise error
        # Once until it goes again: the line above the images would grow with every decision.
        if not self._told:
            self._told = True
            self.failed.emit(str(error))


def _is_opened_anew(old: SessionState, new: SessionState) -> bool:
    """Whether the open study was opened again: what was said is away until it is restored."""
    said_before = (old.reading, old.decisions, old.outcomes)
    said_now = (new.reading, new.decisions, new.outcomes)
    return said_now == (Reading(), (), ()) != said_before


def filed_word(word: Decision | Outcome, study: Study) -> Decision | Outcome:
    """A word as the library keeps it: of a synthetic study under no real image's UID."""
    if isinstance(word, Outcome):
        return word
    return replace(word, sop_instance_uid=_prefix(study) + word.sop_instance_uid)


def opened_word(word: Decision, study: Study) -> Decision:
    """A decision as the open study has it."""
    return replace(word, sop_instance_uid=word.sop_instance_uid.removeprefix(_prefix(study)))


def kept_analysis(
    library: Library | None, screened: Path | None, study: Study, models: Mapping[str, ModelUse]
) -> Analysis | None:
    """What these models said of this study before; None unless they saw all of it as it is.

    May be called on any thread.

    Parameters
    ----------
    screened
        The results of the screening out of whose list the study was opened. What its models
        said is as if they said it now: the library does not have it yet.
    """
    kept = _kept_in(library, study, models) if library is not None else None
    if kept is None and screened is not None:
        # A database library, which no window waits for.
        from ml.screen.answered import said_of

        named = [(image.sop_instance_uid, image.synthetic) for image in study.images]
        said = said_of(screened, named, models)
        kept = Analysis(models, said) if said else None
    if kept is None:
        return None
    pairs = tuple(zip(kept.images, study.images, strict=True))
    if not all(_is_of(said, image) for said, image in pairs):
        return None
    return replace(kept, images=tuple(_as_opened(said, image) for said, image in pairs))


def _kept_in(library: Library, study: Study, models: Mapping[str, ModelUse]) -> Analysis | None:
    prefix = _prefix(study)
    return library.analysis_of([prefix + i.sop_instance_uid for i in study.images], models)


def _is_of(said: ImageAnalysis, image: Mammogram) -> bool:
    """Whether an image is still described as when it was analyzed: headers are mended."""
    facts = image_facts(image)
    names = ("rows", "columns", "laterality", "view", "study_instance_uid")
    return all(getattr(said, name) == getattr(facts, name) for name in names)


def _as_opened(said: ImageAnalysis, image: Mammogram) -> ImageAnalysis:
    return replace(said, sop_instance_uid=image.sop_instance_uid, path=str(image.path))


def filed_as(study: Study) -> str:
    """The study's name in the library: a synthetic one is never filed under a real UID."""
    return _prefix(study) + study.uid


def _prefix(study: Study) -> str:
    return SYNTHETIC if study.synthetic else ""


def _filed(analysis: Analysis, study: Study) -> Analysis:
    prefix = _prefix(study)
    images = (replace(i, sop_instance_uid=prefix + i.sop_instance_uid) for i in analysis.images)
    return replace(analysis, images=tuple(images))


def makers_of(study: Study) -> dict[str, str]:
    """Who made the devices of a study's images, by their names in the library."""
    prefix = _prefix(study)
    return {prefix + i.sop_instance_uid: i.acquisition.manufacturer for i in study.images}


def recent_study(study: Study, now: str) -> RecentStudy:
    """A study as the list of recent ones names it."""
    names = (study.patient.patient_id, study.date, f"({len(study.images)})")
    label = " ".join(name for name in names if name)
    prefix = _prefix(study)
    files = {prefix + image.sop_instance_uid: str(image.path) for image in study.images}
    return RecentStudy(filed_as(study), str(_common_path(study)), label, now, files)


def _common_path(study: Study) -> Path:
    first = study.images[0].path
    return first if len(study.images) == 1 else first.parent
