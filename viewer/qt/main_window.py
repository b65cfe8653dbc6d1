"""The main window: work list and thumbnails, the canvas, the diagnosis, the lane."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QSplitter,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ml.texts import translate
from viewer.core import actions, viewing
from viewer.core.command import Group
from viewer.core.commands import command_keys
from viewer.core.state import Refusal
from viewer.jobs.describe import background_of
from viewer.jobs.devices import is_studio
from viewer.jobs.job import Job
from viewer.jobs.queue import JobQueue
from viewer.qt.analyzer import Analyzer
from viewer.qt.canvas.canvas import Canvas
from viewer.qt.commands import Commands
from viewer.qt.deciding import Deciding
from viewer.qt.dialogs.base import PAGE, bring_up
from viewer.qt.handlers import handlers_for
from viewer.qt.images import Images
from viewer.qt.long_jobs import LongJobs
from viewer.qt.memory import kept_analysis
from viewer.qt.notice_bar import NoticeBar
from viewer.qt.opening import Opener, sample_paths
from viewer.qt.panels.diagnosis import DiagnosisPanel
from viewer.qt.panels.lane import LaneLine
from viewer.qt.panels.thumbnails import ThumbnailsPanel
from viewer.qt.panels.work_list import WorkListPanel
from viewer.qt.resume_bar import ResumeBar
from viewer.qt.screening.ended import EndTeller
from viewer.qt.shadow import Shadower
from viewer.qt.watching import tell_drift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PySide6.QtGui import (
        QCloseEvent,
        QDragEnterEvent,
        QDropEvent,
        QKeyEvent,
        QShowEvent,
    )
    from PySide6.QtWidgets import QMenu

    from ml.findings import Analysis, ModelUse
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study
    from viewer.core.settings import Settings
    from viewer.core.state import SessionState
    from viewer.jobs.models import ModelProcess
    from viewer.library.job_row import JobRow
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.preferences import Preferences
    from viewer.qt.reads import Reads
    from viewer.qt.screening.window import ScreeningDialog
    from viewer.qt.session import Session
    from viewer.qt.tour import Tour

_log = logging.getLogger("viewer.qt")

SIDE_PX = 250
DIAGNOSIS_PX = 320
MEGABYTE = 1024 * 1024
# The queue reads the library and may start a process: the first pictures come before that.
JOBS_AFTER_MS = 1500


class MainWindow(QMainWindow):
    """The one window of a reading session.

    Parameters
    ----------
    library
        Remembers studies for the list of recent ones, and analyses; None where there is none.
    jobs
        The long jobs; None: a queue that is forgotten with the window.
    """

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        runner: JobRunner,
        models: ModelProcess,
        library: Library | None = None,
        jobs: LongJobs | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.preferences = preferences
        self.library = library
        self._runner = runner
        self._models = models
        self.jobs = jobs or LongJobs(JobQueue(None))
        self.jobs.setParent(self)
        self._reads: Reads | None = None
        self.screening: ScreeningDialog | None = None
        self.tour: Tour | None = None
        # Whether the program is to be started once more when this window is closed.
        self.starts_again = False
        self._started = False
        self._check_soon = QTimer(self, interval=JOBS_AFTER_MS, singleShot=True)
        self._check_soon.timeout.connect(self._check_library)
        settings = preferences.settings
        self.images = Images(runner, settings.pixel_cache_mb * MEGABYTE, self)
        self.opener = Opener(session, runner, self._settings, self)
        self.analyzer = Analyzer(
            session,
            self.images,
            runner,
            models,
            self._settings,
            self,
            self.jobs.hold,
            self._kept_of,
        )
        if library is not None:
            self.shadower = Shadower(session, self.images, runner, models, library, self)
        self.canvas = Canvas(session, self.images)
        self.deciding = Deciding(session, preferences, self.canvas, parent=self)
        self.work_list = WorkListPanel(session)
        self.thumbnails = ThumbnailsPanel(session, self.images)
        self.diagnosis = DiagnosisPanel(session, command_keys())
        self.diagnosis.setProperty(PAGE, "diagnosis.md")
        self.lane = LaneLine(session)
        self.notice = NoticeBar()
        self.resume_bar = ResumeBar(self.jobs)
        self.screened = EndTeller(self.jobs, self)
        self.commands = Commands(self, handlers_for(self))
        self._lay_out()
        self._connect()
        self._show(session.state)

    def open_paths(self, paths: Sequence[Path], *, together: bool = False) -> None:
        """Open files, folders or DICOMDIRs."""
        if paths:
            self.opener.open(paths, together=together)

    def choose_files(self, *, together: bool = False) -> None:
        """Ask for files."""
        title = translate("Open files together") if together else translate("Open files")
        names, _ = QFileDialog.getOpenFileNames(self, title)
        self.open_paths([Path(name) for name in names], together=together)

    def choose_folder(self) -> None:
        """Ask for a folder."""
        name = QFileDialog.getExistingDirectory(self, translate("Open folder"))
        if name:
            self.open_paths([Path(name)])

    def open_sample(self) -> None:
        """Open the study that comes with the program."""
        self.open_paths(sample_paths())

    def show_refused(self) -> None:
        """List the files that were not opened."""
        from viewer.qt.dialogs.refused import RefusedFilesDialog

        RefusedFilesDialog(self.session.state.refusals, self).show()

    def start_tour(self, *, offered: bool = False) -> None:
        """Show what is where; `offered`: ask before."""
        from viewer.qt.tour import Place, Tour

        if self.tour is None:
            targets = {
                Place.FILE: self.menus[Group.FILE],
                Place.WORK_LIST: self.work_list,
                Place.TOOLS: self.tool_bar,
                Place.CANVAS: self.canvas,
                Place.DIAGNOSIS: self.diagnosis,
                Place.MACHINES: self.menus[Group.TOOLS],
                Place.HELP: self.menus[Group.HELP],
            }
            self.tour = Tour(self, targets)
        self.tour.start(offered=offered)

    def show_jobs(self) -> None:
        """List the long jobs."""
        from viewer.qt.dialogs.jobs import JobsDialog

        if not bring_up(self, JobsDialog):
            JobsDialog(self.jobs, self).show()

    def show_outcomes(self) -> None:
        """List what was read, and what became known of it."""
        from viewer.qt.dialogs.outcomes_open import show_outcomes

        if reads := self._own_reads():
            show_outcomes(reads, self.preferences, self.open_paths, self)

    def write_corrections(self) -> None:
        """Write the reader's corrections as training data."""
        from viewer.qt.dialogs.outcomes_open import ask_corrections

        if reads := self._own_reads():
            ask_corrections(reads, self)

    def _own_reads(self) -> Reads | None:
        """What the library holds of the reader's word; None, and told, where there is none."""
        from viewer.qt.reads import Reads

        if self.library is None:
            self.notice.tell(translate("There is no library: nothing that you said is kept."))
            return None
        if self._reads is None:
            library, preferences = self.library, self.preferences
            self._reads = Reads(self.session, preferences, self._runner, library, parent=self)
            self._reads.told.connect(self.notice.tell)
        return self._reads

    def show_studio(self) -> None:
        """Have synthetic mammograms made."""
        from viewer.qt.studio.open import make_studio
        from viewer.qt.studio.window import StudioDialog

        if self._lacks_studio():
            return
        if not bring_up(self, StudioDialog):
            make_studio(self.jobs, self._runner, self.preferences, self.open_paths, self).show()

    def show_retraining(self) -> None:
        """Audit, train, compare and promote models."""
        from viewer.qt.retraining.open import make_retraining
        from viewer.qt.retraining.window import RetrainDialog

        if self._lacks_studio():
            return
        if not bring_up(self, RetrainDialog):
            make_retraining(
                self.jobs, self._runner, self.preferences, self._models, self.library, self
            ).show()

    def _lacks_studio(self) -> bool:
        """Whether this is the reader's edition; then it says what it takes."""
        if is_studio():
            return False
        self.notice.tell(
            translate(
                "This is the reader's edition: synthetic mammograms and retraining come with "
                "the studio edition of Mammoscope. Install that in its place; your data stay."
            )
        )
        return True

    def show_screening(self) -> None:
        """Screen a folder, and read its list."""
        from viewer.qt.screening.open import make_screening

        if self.screening is None:
            reader = (self.session, self.images, self.library)
            self.screening = make_screening(
                self.jobs, self._runner, self.preferences, reader, self
            )
            self.screening.reading.opener.told.connect(self.notice.tell)
        self.screening.show()
        self.screening.raise_()
        self.screening.activateWindow()

    def show_update(self) -> None:
        """Take a newer version from a file, or go back."""
        from viewer.qt.dialogs.update import show_update

        show_update(self.preferences, self._runner, self._start_again, self)

    def _start_again(self) -> None:
        self.starts_again = True
        self.close()

    def step_study(self, by: int) -> None:
        """Go to the next study (1) or the previous one (-1): of the list where it came from."""
        screening = self.screening
        if screening is None or not screening.reading.leads():
            self.session.apply(lambda state: actions.step_study(state, by))
        elif not screening.step(by):
            self._on_busy(translate("There is no further study in the list."))

    def _kept_of(self, study: Study) -> Callable[[Mapping[str, ModelUse]], Analysis | None]:
        """What was said of a study before: in the library, or in the list that it is of."""
        screening = self.screening
        screened = screening.reading.results_of(study) if screening is not None else None
        return partial(kept_analysis, self.library, screened, study)

    def showEvent(self, event: QShowEvent) -> None:
        """Let the long jobs run, once there is something to see."""
        super().showEvent(event)
        if not self._started:
            self._started = True
            self._check_soon.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape, where nothing else takes it, ends the tour."""
        if event.key() == Qt.Key.Key_Escape and self.tour is not None:
            self.tour.end()
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what runs in the background."""
        self._check_soon.stop()
        if self.screening is not None:
            # It has no parent, and would be left alone.
            self.screening.close()
            self.screening.deleteLater()
            self.screening = None
        self._runner.close()
        self.jobs.close()
        self._models.close()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what is dropped; with Shift as one study."""
        names = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        together = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.open_paths([Path(name) for name in names], together=together)
        event.acceptProposedAction()

    def _check_library(self) -> None:
        """Look through the library behind the pictures, and let its long jobs run then."""
        if self.library is None:
            self.jobs.start()
            return
        job = Job(translate("Checking the library"), self.library.check)
        self._runner.submit(job, self._on_checked, self._on_check_failed)

    def _on_checked(self, sentence: str) -> None:
        self.jobs.start()
        self.notice.tell(sentence)
        if self.library is not None:
            expected = self._settings().prevalence_per_thousand
            tell_drift(self.library, expected, self._runner, self.notice.tell)

    def _on_check_failed(self, error: Exception) -> None:
        self.jobs.start()
        raise error

    def _settings(self) -> Settings:
        return self.preferences.settings

    def _lay_out(self) -> None:
        self.setWindowTitle("Mammoscope")
        self.setAccessibleName("Mammoscope")
        self.setAcceptDrops(True)
        self.resize(1600, 950)
        self.tool_bar = bar = QToolBar(translate("Tools"))
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.commands.fill_tool_bar(bar)
        self.addToolBar(bar)
        self.menus = self.commands.fill_menus(self)
        self._add_windows_menu(self.menus[Group.IMAGE])
        self._add_recent_menu(self.menus[Group.FILE])
        side = QWidget()
        side.setObjectName("side")
        rows = QVBoxLayout(side)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.work_list, 3)
        rows.addWidget(self.thumbnails, 2)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setHandleWidth(1)
        for widget in (side, self.canvas, self.diagnosis):
            splitter.addWidget(widget)
        splitter.setSizes([SIDE_PX, 1600 - SIDE_PX - DIAGNOSIS_PX, DIAGNOSIS_PX])
        for index, stretch in enumerate((0, 1, 0)):
            splitter.setStretchFactor(index, stretch)
            splitter.setCollapsible(index, False)
        middle = QWidget()
        lines = QVBoxLayout(middle)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(self.notice)
        lines.addWidget(self.resume_bar)
        lines.addWidget(splitter, 1)
        self.setCentralWidget(middle)
        self.setStatusBar(self.lane)
        self.canvas.setFocus()

    def _add_windows_menu(self, menu: QMenu) -> None:
        """The active image's own windows and LUTs, by their explanations."""
        windows = menu.addMenu(translate("Windows of the image"))

        def fill() -> None:
            windows.clear()
            image = viewing.active_image(self.session.state)
            for index, voi in enumerate(image.voi if image else ()):
                name = voi.explanation or translate("window {number}").format(number=index + 1)
                choose = partial(self._choose_voi, index)
                windows.addAction(name).triggered.connect(lambda _=False, go=choose: go())
            if windows.isEmpty():
                windows.addAction(translate("The image has none")).setEnabled(False)

        windows.aboutToShow.connect(fill)

    def _choose_voi(self, index: int) -> None:
        self.session.apply(lambda state: viewing.choose_voi(state, index))

    def _add_recent_menu(self, menu: QMenu) -> None:
        recent = menu.addMenu(translate("Recent studies"))

        def fill() -> None:
            recent.clear()
            for study in self.library.recent_studies() if self.library else ():
                go = partial(self.open_paths, [Path(study.path)])
                recent.addAction(study.label).triggered.connect(lambda _=False, go=go: go())
            if recent.isEmpty():
                recent.addAction(translate("None yet")).setEnabled(False)

        recent.aboutToShow.connect(fill)

    def _connect(self) -> None:
        self.session.changed.connect(self._on_changed)
        self.diagnosis.retry_requested.connect(self.analyzer.analyze)
        # Also for a row that is selected already: the reader may have moved the image since.
        self.diagnosis.finding_chosen.connect(
            self.canvas.centre_finding, Qt.ConnectionType.QueuedConnection
        )
        self.diagnosis.decision_requested.connect(self.deciding.decide)
        self.diagnosis.impression_given.connect(self.deciding.record_impression)
        self.diagnosis.outcome_requested.connect(self.deciding.ask_outcome)
        self.diagnosis.refused_files_requested.connect(self.show_refused)
        self.work_list.refused_files_requested.connect(self.show_refused)
        self.images.failed.connect(self._on_pixels_failed)
        self._runner.busy.connect(self._on_busy)
        self._runner.progress.connect(self._on_progress)
        self.preferences.failed.connect(self._on_busy)
        self.preferences.changed.connect(self._on_settings)
        self.jobs.failed.connect(self._on_busy)
        self.jobs.changed.connect(self._on_jobs)
        self.resume_bar.jobs_requested.connect(self.show_jobs)
        self.screened.told.connect(self.notice.tell)
        self.screened.chosen.connect(self.show_screening)
        sentences = (self.preferences.sentence, self.library.sentence if self.library else "")
        for sentence in sentences:
            self.notice.tell(sentence)

    def _on_settings(self, old: Settings, settings: Settings) -> None:
        if settings.language != old.language:
            self.notice.tell(translate("The program speaks it from its next start on."))

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if old.selected != new.selected and new.selected is not None:
            # After everyone has heard of the change: centring is a change of its own.
            QTimer.singleShot(0, self, partial(self.canvas.centre_finding, new.selected))
        if old.study is not new.study:
            self._request_all(new)
        self._show(new)

    def _request_all(self, new: SessionState) -> None:
        images = new.study.images if new.study else ()
        self.images.drop_waiting(keep=images)
        hung = {id(viewport.image) for viewport in new.viewports}
        rest = [(image, 0) for image in images if id(image) not in hung]
        # Those on the screen are asked for by the canvas, and come first.
        QTimer.singleShot(0, self, partial(self.images.request, rest))

    def _show(self, state: SessionState) -> None:
        self.commands.show(state)

    def _on_pixels_failed(self, image: Mammogram, sentence: str) -> None:
        study = self.session.state.study
        if study is None or image.key not in {each.key for each in study.images}:
            # Of a study that is made ready behind this one: told when it is opened.
            return
        refusal = Refusal(image.path, sentence)
        self.session.apply(lambda state: actions.refuse(state, refusal), step=False)

    def _on_busy(self, title: str) -> None:
        self.session.apply(lambda state: actions.set_lane(state, title), step=False)

    def _on_jobs(self, rows: tuple[JobRow, ...]) -> None:
        background = background_of(rows)
        self.session.apply(lambda state: actions.set_background(state, background), step=False)

    def _on_progress(self, title: str, done: int, of: int) -> None:
        text = f"{title} {done} / {of}"
        self.session.apply(lambda state: actions.set_lane(state, text), step=False)
