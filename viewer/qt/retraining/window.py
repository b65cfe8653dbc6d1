"""The window of a retraining: five steps, one after the other; the work is the queue's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from ml.errors import MammoError
from ml.texts import translate
from ml.train.order import TrainingOrder
from viewer.core import retraining
from viewer.core.reading import utc_now
from viewer.core.retraining import Step
from viewer.jobs import retrain_deeds, retrain_tables, retrained
from viewer.jobs.job import Job
from viewer.qt.cards import label
from viewer.qt.dialogs.base import PAGE, Dialog, name_button
from viewer.qt.foot import Foot
from viewer.qt.retraining.audit_page import AuditPage
from viewer.qt.retraining.choosing import Choosing
from viewer.qt.retraining.data_page import DataPage
from viewer.qt.retraining.pages import ComparePage, TrainPage
from viewer.qt.retraining.style import STYLE
from viewer.qt.retraining.versions_page import PromotePage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QShowEvent

    from viewer.core.retraining import Run
    from viewer.jobs.retrain_tables import Mended
    from viewer.jobs.retrained import InUse
    from viewer.library.job_row import JobRow
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs
    from viewer.qt.retraining.places import Places

SIZE_PX = (1500, 860)
# Among the trainings: tables of what the reader keeps of a generation.
KEPT = "kept"


class RetrainDialog(Dialog):
    """Audits, trains, compares and promotes; it blocks nothing."""

    def __init__(
        self, jobs: LongJobs, runner: JobRunner, places: Places, parent: QWidget | None
    ) -> None:
        super().__init__(translate("Retrain models"), parent)
        self.setProperty(PAGE, "retraining.md")
        # It is only hidden: what was asked for is answered later, and is there the next time.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._jobs, self._runner, self._places = jobs, runner, places
        self._told = ""
        self.run: Run | None = None
        # Of the training that was chosen last, and may not be there yet.
        self._wanted: Path | None = None
        self._live: frozenset[str] = frozenset()
        self.step = Step.DATA
        self.about = QLabel()
        self.choice = QComboBox()
        self.steps: dict[Step, QPushButton] = {}
        self.data, self.audit, self.train = DataPage(), AuditPage(), TrainPage()
        self.compare, self.promote = ComparePage(), PromotePage()
        kept = places.trainings / KEPT
        self.chosen = Choosing(self.data, runner, places.corrections, kept, self)
        self.audit.plans = places.plan is not None
        self.foot = Foot()
        self._lay_out()
        self._connect()
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Read which models are in use, and which trainings there are."""
        super().showEvent(event)
        self._read_versions()
        self._read_runs()
        self.chosen.offer(self._jobs.rows)

    # What is asked for

    def go_to(self, step: Step) -> None:
        """Show a step."""
        self.step = step
        self._told = ""
        self._show()

    def act(self, name: str) -> None:
        """Do what a button of the bottom line says."""
        self._told = ""
        deeds: dict[str, Callable[[], None]] = {
            "audit": self._audit,
            "override": self.ask_reason,
            "train": self._train,
            "compare": self._compare,
            "helps": self._ask_helps,
            "promote": self._promote,
            "to_train": partial(self.go_to, Step.TRAIN),
            "to_compare": partial(self.go_to, Step.COMPARE),
            "to_promote": partial(self.go_to, Step.PROMOTE),
        }
        if name in deeds:
            deeds[name]()
        else:
            self._steer(name)

    def ask_reason(self) -> None:
        """Ask why data are used although their audit is red."""
        title = translate("Override the audit")
        text = translate("Why may these data be used? It stays on the model's card for ever.")
        asked = QInputDialog(self)
        asked.setWindowTitle(title)
        asked.setLabelText(text)
        asked.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asked.textValueSelected.connect(partial(self._override_of, self.run))
        asked.open()

    def _override_of(self, run: Run | None, reason: str) -> None:
        """Of the run that was asked about, whichever is shown by now."""
        if self._is_shown(run):
            self.override(reason)

    def override(self, reason: str) -> None:
        """Go on in spite of a red audit, with a written reason."""
        if self.run is None:
            return
        try:
            changed = retraining.overridden(self.run, reason)
        except MammoError as error:
            self._say(str(error))
            return
        work = partial(retrained.keep_override, changed)
        self._do(translate("Keeping the reason"), work, self._take_run, self._say)

    def open_run(self, folder: Path) -> None:
        """Show another training."""
        self._wanted = folder
        title = translate("Reading {name}").format(name=folder.name)
        self._do(title, partial(retrained.read_run, folder), self._opened, self._say)
        # Until it is there, the one that the buttons act on stays chosen.
        self._mark_choice()

    def _opened(self, run: Run) -> None:
        if run.folder == self._wanted:
            self._arrive(run)

    def use(self, generation: str) -> None:
        """Add a finished generation to the data of this run, for a training of its own."""
        self.go_to(Step.DATA)
        self.chosen.add_made(generation)
        self._say(translate("Audit them again when they are added: it is a new training."))

    def plan(self) -> None:
        """Show in the studio what the data of this run lack."""
        if self.run is not None and self._places.plan is not None:
            self._places.plan(Path(self.run.order.manifest))

    def mend(self) -> None:
        """Go on with a mended copy of the tables, which is audited anew."""
        run = self.run
        if run is None:
            return
        of_run = (row for row in self._jobs.rows if retrain_deeds.works_in(row, run.folder))
        if all(row.state.is_ended for row in of_run):
            work = partial(retrain_tables.mend, run)
            self._do(translate("Mending a copy"), work, self._mended, self._say)
        else:
            self._say(translate("A job works with these tables: cancel it first."))

    def _mended(self, mended: Mended) -> None:
        self.audit.tell(mended.run, mended.sentence)
        self._arrive(mended.run, Step.AUDIT)
        spec = mended.run.order.to_json()
        self._submit(retrain_deeds.AUDIT, translate("Audit {name}"), spec)

    def _audit(self) -> None:
        if self.step is Step.DATA or self.run is None:
            if self.chosen.sets:
                begin = partial(retrained.begin, self._order(), self.chosen.sets)
                self._do(translate("Beginning a training"), begin, self._begun, self._say)
            return
        work = partial(retrained.audit_anew, self.run)
        self._do(translate("Auditing again"), work, self._audit_again, self._say)

    def _audit_again(self, run: Run) -> None:
        self._take_run(run)
        if self._is_shown(run):
            self._submit(retrain_deeds.AUDIT, translate("Audit {name}"), run.order.to_json())

    def _order(self) -> TrainingOrder:
        role, part = str(self.data.role.value), self.data.part.value
        assert isinstance(part, float)
        folder = retraining.new_folder(self._places.trainings, role, utc_now()[:10])
        return TrainingOrder(
            manifest=str(self.chosen.sets[0]),
            out=str(folder),
            role=role,
            part=part,
            from_scratch=bool(self.data.beginning.value),
            mode=str(self.data.mode.currentData()),
            dose=self.data.asked_dose,
        )

    def _begun(self, run: Run) -> None:
        self._arrive(run, Step.AUDIT)
        self._submit(retrain_deeds.AUDIT, translate("Audit {name}"), run.order.to_json())
        self._read_runs()

    def _train(self) -> None:
        if self.run is not None:
            spec = self.run.order.to_json()
            self._submit(retrain_deeds.TRAIN, translate("Train {name}"), spec)

    def _ask_helps(self) -> None:
        order = retraining.helps_order(self.run) if self.run is not None else None
        if order is not None:
            title = translate("Does it help? {name}")
            self._submit(retrain_deeds.HELPS, title, order.to_json())

    def _compare(self) -> None:
        if self.run is not None:
            spec: dict[str, object] = {
                "trained": str(self.run.folder),
                "manifest": self.run.order.manifest,
                **self._places.margins(),
            }
            self._submit(retrain_deeds.COMPARE, translate("Compare {name}"), spec)

    def _submit(self, kind: str, title: str, spec: Mapping[str, object]) -> None:
        if self.run is not None:
            name = self.run.folder.name
            lane = self._places.lane()
            self._jobs.submit(kind, title.format(name=name), spec, lane, lambda _: None)

    def _promote(self) -> None:
        if self.run is not None and (compared := self.run.comparison) is not None:
            self._places.with_reader(
                partial(
                    self._change_use,
                    partial(retrained.promote, self._places.own_models, compared),
                )
            )

    def _go_back(self, role: str, live: str) -> None:
        work = partial(retrained.go_back, self._places.own_models, role, live)
        self._places.with_reader(partial(self._change_use, work))

    def _change_use(self, work: Callable[[str], None], who: str) -> None:
        title = translate("Changing the model in use")
        self._do(title, partial(work, who), self._changed_use, self._say)

    def _changed_use(self, _: object) -> None:
        self._places.promoted()
        self._read_versions()
        self._say(translate("Done. The next analysis is done by the models in use now."))

    def _steer(self, deed: str) -> None:
        if (row := self._row()) is not None:
            self._jobs.steer(deed, row.id)

    # What comes

    def _row(self) -> JobRow | None:
        if self.run is None:
            return None
        return retrain_deeds.row_at(self.step, self.run, self._jobs.rows)

    def _hear(self, job_id: int, news: Mapping[str, object]) -> None:
        row, run = self._jobs.row(job_id), self.run
        if row is None or run is None or str(run.folder) not in row.spec.values():
            return
        if "loss" in news:
            self.run = retraining.hear(run, news)
            if self.run is not run and self.step is Step.TRAIN:
                self.train.show_run(self.run)
        else:
            self._read_again()

    def _show_rows(self, rows: tuple[JobRow, ...]) -> None:
        """A job that ended left something in a folder."""
        ended = {row.id for row in rows if row.state.is_ended}
        if ended != self._ended:
            self.chosen.offer(rows)
        if ended - self._ended:
            self._told = ""
            self._read_again()
            self._read_versions()
        self._ended = ended
        self._show_foot()

    def _read_again(self) -> None:
        if self.run is not None:
            title = translate("Reading {name}").format(name=self.run.folder.name)
            work = partial(retrained.read_run, self.run.folder)
            self._do(title, work, self._take_run, self._say)

    def _read_runs(self) -> None:
        work = partial(retrained.runs_of, self._places.trainings)
        self._do(translate("Looking for trainings"), work, self._take_runs, self._say)

    def _read_versions(self) -> None:
        work = partial(retrained.models_in_use, self._places.own_models)
        self._do(translate("Looking for models"), work, self._take_versions, self._say)

    def _take_runs(self, folders: tuple[Path, ...]) -> None:
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(translate("A new training"), "")
        for folder in folders:
            self.choice.addItem(folder.name, str(folder))
        self._mark_choice()
        self.choice.blockSignals(False)
        self.choice.setVisible(bool(folders))

    def _mark_choice(self) -> None:
        folder = str(self.run.folder) if self.run else ""
        self.choice.blockSignals(True)
        self.choice.setCurrentIndex(max(self.choice.findData(folder), 0))
        self.choice.blockSignals(False)

    def _choose_run(self, index: int) -> None:
        folder = self.choice.itemData(index)
        if folder:
            self.open_run(Path(str(folder)))
        else:
            self.run = self._wanted = None
            self.go_to(Step.DATA)

    def _take_versions(self, in_use: InUse) -> None:
        names = ", ".join(in_use.names.values())
        text = translate("in use: {names}").format(names=names)
        self.about.setText(text)
        self.about.setAccessibleName(text)
        self.about.setToolTip(text)
        self.promote.show_versions(in_use)
        self._live = frozenset(each.key for each in in_use.lines if each.live)
        self._show_foot()

    def _is_shown(self, run: Run | None) -> bool:
        return run is not None and self.run is not None and self.run.folder == run.folder

    def _arrive(self, run: Run, step: Step | None = None) -> None:
        if not self._is_shown(run):
            self.run = run
            self.data.show_order(run.order)
        self._take_run(run)
        if run.counted is not None:
            self.chosen.take(run.counted)
        self.go_to(step or run.reached)

    def _take_run(self, run: Run) -> None:
        """What is new of the run that is shown; of another one it comes too late."""
        if self.run is not None and self._is_shown(run):
            longer = max(self.run.curve, run.curve, key=len)
            self.run = replace(run, curve=longer)
            self._show()

    def say(self, sentence: str) -> None:
        """Tell something in the bottom line."""
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self._told = sentence
        self._show_foot()

    def _do(
        self,
        title: str,
        work: Callable[[], object],
        done: Callable[..., None],
        told: Callable[[str], None],
    ) -> None:
        """Do something where disks are read; what the user may be told is told."""
        self._runner.attempt(Job(title, work), done, told)

    # How it looks

    def _show(self) -> None:
        reached = self.run.reached if self.run else Step.DATA
        for step, button in self.steps.items():
            word = translate(retraining.STEP_WORDS[step])
            over = step < reached
            name_button(button, f"{step + 1}  {word}" + (" ✓" if over else ""))
            button.setProperty("over", over)
            button.style().unpolish(button)
            button.style().polish(button)
            button.setChecked(step is self.step)
            button.setEnabled(step <= reached or step is Step.PROMOTE)
        self._pages.setCurrentIndex(self.step)
        page = self._pages.currentWidget()
        if self.run is not None and not isinstance(page, DataPage):
            assert isinstance(page, AuditPage | TrainPage | ComparePage | PromotePage)
            page.show_run(self.run)
        elif page is self.promote:
            self.promote.clear(self.promote.right)
        self._mark_choice()
        self._show_foot()

    def _show_foot(self) -> None:
        foot = retrain_deeds.foot_of(self.step, self.run, self._jobs.rows, self._live)
        if self._told:
            foot = replace(foot, sentence=self._told)
        new = self.step is Step.DATA or self.run is None
        ready = not new or bool(self.chosen.sets)
        self.foot.show_foot(foot, enabled=ready)

    def _lay_out(self) -> None:
        self._ended: set[int] = set()
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.setStyleSheet(STYLE)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(0)
        self.rows.addWidget(self._make_head())
        self.rows.addWidget(self._make_steps())
        self._pages = QStackedWidget()
        for page in (self.data, self.audit, self.train, self.compare, self.promote):
            self._pages.addWidget(page)
        self.rows.addWidget(self._pages, 1)
        self.rows.addWidget(self.foot)
        self.take_room(*SIZE_PX)

    def _make_head(self) -> QFrame:
        head = QFrame()
        head.setObjectName("head")
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 11, 16, 11)
        row.setSpacing(14)
        row.addWidget(label(self.windowTitle(), "title", wrap=False))
        self.about.setProperty("kind", "dim")
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.about, 1)
        self.choice.setAccessibleName(translate("Training"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        row.addWidget(self.choice)
        return head

    def _make_steps(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("steps")
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for step in Step:
            button = QPushButton()
            button.setProperty("kind", "step")
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.clicked.connect(partial(self.go_to, step))
            self.steps[step] = button
            row.addWidget(button, 1)
        return bar

    def _connect(self) -> None:
        self.chosen.changed.connect(self._show_foot)
        self.foot.pressed.connect(self.act)
        self.chosen.offered.connect(self.audit.show_made)
        self.audit.plan_requested.connect(self.plan)
        self.audit.made_requested.connect(self.use)
        self.audit.mend_requested.connect(self.mend)
        self.promote.back_requested.connect(self._go_back)
        self.choice.currentIndexChanged.connect(self._choose_run)
        self._jobs.changed.connect(self._show_rows)
        self._jobs.told.connect(self._hear)
        self._jobs.failed.connect(self._say)
