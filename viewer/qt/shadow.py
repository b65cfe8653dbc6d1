"""Has the models in shadow look at what was analyzed, while nobody waits for anything."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from ml.errors import MammoError, ModelError, ModelMemoryError
from ml.texts import translate
from viewer.core.state import AnalysisPhase
from viewer.jobs.job import Job
from viewer.jobs.shadow import shadow_job, wanted_job

if TYPE_CHECKING:
    from ml.findings import Analysis
    from viewer.core.state import SessionState
    from viewer.jobs.models import ModelProcess
    from viewer.jobs.shadow import Task
    from viewer.library.library import Library
    from viewer.qt.images import Images
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.session import Session

_log = logging.getLogger("viewer.qt")

# So long nothing must have happened before an image is looked at.
IDLE_MS = 700
# Of a long day's images some are let go rather than keeping all of them in memory.
MOST = 400


class Shadower(QObject):
    """Follow the session: every analysis is repeated by the models in shadow, and kept.

    One image at a time, and none while a study opens, an analysis runs or another is asked for:
    the most that the reader may have to wait for is the rest of one image. Synthetic images are
    left out: they say nothing of the women that a model would see.
    """

    def __init__(
        self,
        session: Session,
        images: Images,
        runner: JobRunner,
        models: ModelProcess,
        library: Library,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._images = images
        self._runner = runner
        self._models = models
        self._library = library
        self._tasks: deque[Task] = deque(maxlen=MOST)
        self._busy = False
        self._idle = QTimer(self, interval=IDLE_MS, singleShot=True)
        self._idle.timeout.connect(self._next)
        session.changed.connect(self._on_changed)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        # What jobs tell of themselves is no sign of the reader, and may come without end.
        if self._tasks and old.lane == new.lane and old.background == new.background:
            self._idle.start()
        study, analysis = new.study, new.analysis
        if study is None or analysis is None or analysis is old.analysis or study.synthetic:
            return
        job = wanted_job(study.images, analysis, self._models, self._library)
        self._runner.submit(job, self._want, self._failed)

    def _want(self, tasks: tuple[Task, ...]) -> None:
        known = {(one.folder, one.image.sop_instance_uid) for one in self._tasks}
        self._tasks.extend(
            one for one in tasks if (one.folder, one.image.sop_instance_uid) not in known
        )
        if self._tasks:
            self._idle.start()

    def _next(self) -> None:
        if self._busy or not self._tasks:
            return
        state = self._session.state
        if state.opening or state.analysis_phase is AnalysisPhase.WAITING or self._models.busy:
            self._idle.start()
            return
        self._busy = True
        task = self._tasks.popleft()
        job = shadow_job(task, self._models, self._images.stored_pixels)
        self._runner.submit(job, partial(self._keep, task), self._failed)

    def _keep(self, task: Task, said: Analysis | None) -> None:
        self._busy = False
        self._idle.start()
        if said is None:
            return
        keep = partial(self._library.keep_shadow, task.role, said, task.live)
        job = Job(translate("Keeping what a model in shadow said"), keep, "library")
        self._runner.submit(job, lambda _: None, self._failed)

    def _failed(self, error: Exception) -> None:
        """Leave it at that: the reader asked for nothing, and is told nothing.

        Where it is the model that failed, it is not asked again before the next analysis.
        """
        self._busy = False
        if isinstance(error, ModelError | ModelMemoryError):
            self._tasks.clear()
        self._idle.start()
        if not isinstance(error, MammoError):
            raise error
        _log.info("a model in shadow could not look: %s", type(error).__name__)
