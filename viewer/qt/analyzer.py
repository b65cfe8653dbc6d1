"""Has the open study analyzed, once its pictures are on the screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ml.errors import MammoError
from ml.texts import translate
from viewer.core import actions
from viewer.core.state import AnalysisPhase
from viewer.jobs.analysis import analysis_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.findings import Analysis, ModelUse
    from ml.mammo.study import Study
    from viewer.core.settings import Settings
    from viewer.core.state import SessionState
    from viewer.jobs.models import ModelProcess
    from viewer.jobs.queue import Hold
    from viewer.qt.images import Images
    from viewer.qt.job_runner import JobHandle, JobRunner
    from viewer.qt.session import Session

    # Of a study, on the GUI thread: what gives, on a job's thread, what models said of it.
    Kept = Callable[[Study], Callable[[Mapping[str, ModelUse]], Analysis | None]]

_log = logging.getLogger("viewer.qt")


class Analyzer(QObject):
    """Follow the session: a new study is analyzed, a closed one is let go.

    Parameters
    ----------
    settings
        Gives the settings that hold now.
    hold
        Has the long jobs wait while an analysis runs; None: they do not.
    kept
        Knows what models said of a study before; None: nothing does.
    """

    def __init__(
        self,
        session: Session,
        images: Images,
        runner: JobRunner,
        models: ModelProcess,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
        hold: Callable[[], Hold] | None = None,
        kept: Kept | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._images = images
        self._runner = runner
        self._models = models
        self._settings = settings
        self._hold = hold
        self._kept = kept
        self._job: JobHandle | None = None
        self._started: Study | None = None
        session.changed.connect(self._on_changed)
        images.arrived.connect(self._start_when_shown)
        images.failed.connect(self._start_when_shown)

    def analyze(self) -> None:
        """Show what the models say of the open study.

        What they said before is taken from where it is kept; where that is on the screen
        already, the reader asks again, and they look anew.
        """
        study, shown = self._session.state.study, self._session.state.analysis
        if study is None:
            return
        kept = self._kept(study) if self._kept and shown is None else None
        self._cancel()
        self._started = study
        self._session.apply(lambda state: actions.start_analysis(state, study), step=False)
        job = analysis_job(
            study.images,
            self._models,
            self._images.stored_pixels,
            self._report,
            hold=self._hold,
            kept=kept,
        )
        self._job = self._runner.submit(
            job,
            lambda analysis: self._done(study, analysis),
            lambda error: self._failed(study, error),
        )

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if old.study is not new.study:
            self._cancel()
            self._started = None
            self._start_when_shown()

    def _start_when_shown(self, *_: object) -> None:
        state = self._session.state
        settings = self._settings()
        if state.study is None or self._started is state.study or not settings.analysis_on_open:
            return
        if state.analysis_phase is not AnalysisPhase.NONE:
            return
        hung = [viewport for viewport in state.viewports if viewport.image]
        # Pictures first: decoding and preparing would share the processor.
        if all(v.image and self._images.is_settled(v.image, v.frame) for v in hung):
            self.analyze()

    def _report(self, done: int, of: int) -> None:
        self._runner.report(translate("Analyzing"), done, of)

    def _done(self, study: Study, analysis: Analysis) -> None:
        self._job = None
        self._session.apply(
            lambda state: actions.set_analysis(state, study, analysis), step=False
        )

    def _failed(self, study: Study, error: Exception) -> None:
        self._job = None
        expected = isinstance(error, MammoError)
        sentence = str(error) if expected else translate("The program made a mistake.")
        self._session.apply(
            lambda state: actions.fail_analysis(state, study, sentence), step=False
        )
        if not expected:
            raise error
        _log.info("analysis refused: %s", type(error).__name__)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
