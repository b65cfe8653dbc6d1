"""The studio's window: what to make at the left, what comes in the middle, what it is worth."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ml.errors import MammoError
from ml.texts import counted, translate
from viewer.core import batch as batches
from viewer.core import studio
from viewer.core.batch import Batch
from viewer.core.reading import utc_now
from viewer.core.studio import GeneratorChoice
from viewer.jobs import describe
from viewer.jobs.generated import read_left, save_shots
from viewer.jobs.generators import count_data_set, look_up
from viewer.jobs.job import Job
from viewer.qt.cards import label
from viewer.qt.dialogs.base import PAGE, Dialog, name_button
from viewer.qt.studio.choices import Choices
from viewer.qt.studio.figures import FiguresPanel
from viewer.qt.studio.foot import Foot
from viewer.qt.studio.generator_dialog import GeneratorDialog
from viewer.qt.studio.order_panel import OrderPanel
from viewer.qt.studio.shots import ShotsView
from viewer.qt.studio.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QShowEvent

    from ml.synth.order import Order
    from viewer.core.lacks import DataSet
    from viewer.core.studio import Generator
    from viewer.jobs.generated import Left
    from viewer.library.job_row import JobRow
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs

_log = logging.getLogger("viewer.qt")

LEFT_PX, RIGHT_PX = 322, 322
SIZE_PX = (1500, 860)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the studio works, and with what.

    Attributes
    ----------
    generators
        Folders that may hold the program's own pack, the first choice first.
    generated
        Gets a folder for each batch.
    lane
        The device of new jobs.
    choice, keep_choice
        Which generator was chosen, and what keeps a new choice.
    """

    generators: tuple[Path, ...]
    generated: Path
    lane: str
    choice: Callable[[], GeneratorChoice] = GeneratorChoice
    keep_choice: Callable[[GeneratorChoice], object] = lambda _: None


class StudioDialog(Dialog):
    """Asks the queue for images and shows those of one batch; it blocks nothing.

    Parameters
    ----------
    open_paths
        Opens files in the viewer.
    """

    def __init__(
        self,
        jobs: LongJobs,
        runner: JobRunner,
        places: Places,
        open_paths: Callable[[list[Path]], object],
        parent: QWidget | None,
    ) -> None:
        super().__init__(translate("Generate synthetic mammograms"), parent)
        self.setProperty(PAGE, "studio.md")
        # It is only hidden: what was asked for is answered later, and is there the next time.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._jobs = jobs
        self._runner = runner
        self._places = places
        self._open_paths = open_paths
        self._generator: Generator | None = None
        self._chosen: GeneratorChoice | None = None
        self._data: DataSet | None = None
        self.batch: Batch | None = None
        self.change = QPushButton()
        self.order = OrderPanel()
        self.shots = ShotsView(runner)
        self.figures = FiguresPanel()
        self.foot = Foot()
        self._choices = Choices(runner, self.foot.say)
        self.choice = QComboBox()
        self.empty = QLabel(translate("Looking for the generator…"))
        self.about = QLabel(describe.device_text(places.lane))
        self._lay_out()
        self._connect()
        self._show_rows(jobs.rows)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for the generator, again where it was not there or another one is set."""
        super().showEvent(event)
        choice = self._places.choice()
        if self._generator is None or choice != self._chosen:
            self._run(
                translate("Checking the generator"),
                partial(look_up, choice, self._places.generators, self._places.lane),
                partial(self._take_generator, choice),
                self._miss_generator,
            )

    # What is asked for

    def choose_generator(self) -> None:
        """Ask which generator to work with."""
        choice, own = self._places.choice(), self._places.generators
        lane, runner = self._places.lane, self._runner
        GeneratorDialog(choice, own, lane, runner, self._change_generator, self).open()

    def choose_data_set(self) -> None:
        """Ask for a folder with a manifest, and count its images."""
        name = QFileDialog.getExistingDirectory(self, translate("Choose a data set"))
        if name:
            self.count(Path(name))

    def count(self, folder: Path) -> None:
        """Count what a data set has."""
        title = translate("Counting {name}").format(name=folder.name)
        self._run(title, partial(count_data_set, folder), self._take_data, self.figures.say)

    def add_to_queue(self) -> None:
        """Put what the left column says into the queue."""
        draft, generator = self.order.draft, self._generator
        if draft is not None and generator is not None:
            healthy = 0 if draft.prompt.lesion else draft.count
            reference = studio.reference_of(self._data, generator, healthy)
            order = studio.order_of(draft, generator, self._new_folder(), reference)
            title = translate("Generate {count}").format(count=draft.count)
            self._submit(order, title)

    def queue_plan(self, wanted: int) -> None:
        """Put what the data set lacks into the queue."""
        draft, generator, data = self.order.draft, self._generator, self._data
        if draft is None or generator is None or data is None:
            return
        order = studio.plan_order(draft, generator, self._new_folder(), data, wanted)
        self._submit(order, translate("Balance {name}").format(name=Path(data.folder).name))

    def save(self) -> None:
        """Ask for a folder, and copy what is kept."""
        name = QFileDialog.getExistingDirectory(
            self, translate("Choose an empty folder for the images")
        )
        if name:
            self.save_to(Path(name))

    def save_to(self, target: Path) -> None:
        """Copy what is kept, with tables of only these."""
        if self.batch is None:
            return
        paths = [shot.path for shot in self.batch.kept]
        work = partial(save_shots, Path(self.batch.folder), paths, target)
        self._run(translate("Saving images"), work, self._saved, self.foot.say)

    def finish(self) -> None:
        """Write down what is kept: the program ends."""
        with suppress(MammoError):
            self._choices.finish()

    def _saved(self, count: int) -> None:
        text = counted("{count} image saved.", "{count} images saved.", count)
        self.foot.say(text.format(count=count))

    def _new_folder(self) -> Path:
        draft = self.order.draft
        seed = draft.seed if draft else 0
        return studio.new_folder(self._places.generated, seed, utc_now()[:10])

    def _submit(self, order: Order, title: str) -> None:
        # Made at once, so that the next order gets another one.
        Path(order.out).mkdir(parents=True, exist_ok=True)
        lane = self._places.lane
        self._jobs.submit(describe.GENERATE, title, order.to_json(), lane, self._added)

    def _added(self, job_id: int) -> None:
        # A batch that is being looked at stays, as long as it is at work.
        row = self._jobs.row(self.batch.job_id) if self.batch else None
        if row is None or row.state.is_ended:
            self._wanted = job_id
            self._show_rows(self._jobs.rows)

    # What is known of the generator and of the data set

    def _change_generator(self, choice: GeneratorChoice, generator: Generator) -> None:
        self._places.keep_choice(choice)
        self._take_generator(choice, generator)

    def _take_generator(self, choice: GeneratorChoice, generator: Generator) -> None:
        self._chosen, self._generator = choice, generator
        self.order.show_generator(generator)
        self._order_tabs()
        if self._data is not None:
            self._take_data(self._data)
        _say(self.about, studio.headline(generator, describe.device_text(self._places.lane)))
        _say(self.empty, translate("Images appear here as they are made."))

    def _miss_generator(self, sentence: str) -> None:
        _say(self.empty, sentence)
        if self.batch is not None:
            self.foot.say(sentence)

    def _take_data(self, data: DataSet) -> None:
        self._data = data
        paints = self._generator.paints if self._generator else True
        self.figures.show_data_set(data, paints=paints)

    # What comes

    def _show_rows(self, rows: tuple[JobRow, ...]) -> None:
        known = describe.batches_of(rows)
        self._fill_choice(known)
        shown = next((row for row in known if row.id == self._wanted), None)
        if shown is None and self.batch is None:
            shown = describe.batch_to_show(rows)
        if shown is not None and (self.batch is None or self.batch.job_id != shown.id):
            self._show_job(shown)
        if shown is not None and shown.id == self._wanted:
            self._wanted = 0
        row = self._jobs.row(self.batch.job_id) if self.batch else None
        self.foot.show_job(row, rows)

    def _fill_choice(self, known: tuple[JobRow, ...]) -> None:
        texts = [f"{row.title} · {describe.state_text(row)}" for row in known]
        self.choice.blockSignals(True)
        while self.choice.count() > len(known):
            self.choice.removeItem(self.choice.count() - 1)
        for index, (row, text) in enumerate(zip(known, texts, strict=True)):
            if index == self.choice.count():
                self.choice.addItem("")
            self.choice.setItemText(index, text)
            self.choice.setItemData(index, row.id)
        self._mark_choice()
        self.choice.blockSignals(False)
        self.choice.setVisible(len(known) > 1)

    def _mark_choice(self) -> None:
        if self.batch is not None:
            self.choice.setCurrentIndex(self.choice.findData(self.batch.job_id))

    def _choose(self, index: int) -> None:
        row = self._jobs.row(int(self.choice.itemData(index) or 0))
        if row is not None:
            self._show_job(row)
            self.foot.show_job(row, self._jobs.rows)

    def _show_job(self, row: JobRow) -> None:
        folder, seed = str(row.spec.get("out", "")), row.spec.get("seed")
        self._take_batch(Batch(row.id, folder, seed if isinstance(seed, int) else 0))
        self.choice.blockSignals(True)
        self._mark_choice()
        self.choice.blockSignals(False)
        self._read_left(self.batch)

    def _read_left(self, batch: Batch | None) -> None:
        """Read what lies in the batch's folder: images that were made before, and figures."""
        if batch is not None:
            folder = Path(batch.folder)
            title = translate("Reading {name}").format(name=folder.name)
            self._run(title, partial(read_left, folder), partial(self._found, batch.job_id))

    def _found(self, job_id: int, left: Left) -> None:
        if self.batch is not None and self.batch.job_id == job_id:
            self._take_batch(batches.find(self.batch, left.shots, left.figures))

    def _hear(self, job_id: int, news: Mapping[str, object]) -> None:
        if self.batch is not None and self.batch.job_id == job_id:
            self._take_batch(batches.hear(self.batch, news))
            if batches.tells_of_quality(news):
                self._read_left(self.batch)

    def _toggle(self, path: str) -> None:
        if self.batch is not None:
            self._take_batch(batches.toggle(self.batch, path))
            self._choices.keep(self.batch)

    def _open(self, path: str) -> None:
        self._open_paths([Path(path)])

    def _take_batch(self, batch: Batch) -> None:
        if batch is self.batch:
            return
        self.batch = batch
        self.shots.show_batch(batch)
        self.figures.show_batch(batch)
        self.foot.show_batch(batch)
        self._middle.setCurrentWidget(self.shots if batch.shots else self.empty)

    def _steer(self, deed: str) -> None:
        if self.batch is not None:
            self._jobs.steer(deed, self.batch.job_id)

    def _run(
        self,
        title: str,
        work: Callable[[], object],
        done: Callable[..., None],
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Do something where disks are read; what the user may be told is told."""
        self._runner.attempt(Job(title, work), done, told)

    # How it looks

    def _lay_out(self) -> None:
        self._wanted = 0
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.setStyleSheet(STYLE)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(0)
        self.rows.addWidget(self._make_head())
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(_scrolled(self.order, LEFT_PX))
        body.addWidget(self._make_middle(), 1)
        body.addWidget(_scrolled(self.figures, RIGHT_PX))
        self.rows.addLayout(body, 1)
        self.rows.addWidget(self.foot)
        self.take_room(*SIZE_PX)

    def _order_tabs(self) -> None:
        """From left to right, each column from top to bottom."""
        foot, figures = self.foot, self.figures
        middle = (self.choice, self.shots)
        right = (figures.wanted, figures.queue_plan)
        below = (foot.steer, foot.cancel, foot.save)
        for one, following in pairwise(
            (self.change, *self.order.stops, *middle, *right, *below)
        ):
            self.setTabOrder(one, following)

    def _make_head(self) -> QFrame:
        head = QFrame()
        head.setObjectName("head")
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 11, 16, 11)
        row.setSpacing(14)
        row.addWidget(label(self.windowTitle(), "title", wrap=False))
        self.about.setProperty("kind", "dim")
        # A long name gives way in a narrow window; the tool tip has all of it.
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.about, 1)
        name_button(self.change, translate("Change generator…"))
        self.change.setAutoDefault(False)
        row.addWidget(self.change)
        never = translate("Never filed under a patient. Never used as test data.")
        row.addWidget(label(never, "standing", wrap=False))
        return head

    def _make_middle(self) -> QFrame:
        middle = QFrame()
        middle.setObjectName("middle")
        rows = QVBoxLayout(middle)
        rows.setContentsMargins(10, 8, 4, 4)
        self.choice.setAccessibleName(translate("Batch"))
        rows.addWidget(self.choice, 0, Qt.AlignmentFlag.AlignLeft)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.empty.setProperty("kind", "dim")
        self._middle = QStackedWidget()
        for widget in (self.empty, self.shots):
            self._middle.addWidget(widget)
        rows.addWidget(self._middle, 1)
        return middle

    def _connect(self) -> None:
        self.change.clicked.connect(self.choose_generator)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.finish)
        self.order.add_requested.connect(self.add_to_queue)
        self.order.balance_requested.connect(self.choose_data_set)
        self.figures.plan_requested.connect(self.queue_plan)
        self.foot.steered.connect(self._steer)
        self.foot.save_requested.connect(self.save)
        self.shots.toggled.connect(self._toggle)
        self.shots.opened.connect(self._open)
        self.choice.currentIndexChanged.connect(self._choose)
        self._jobs.changed.connect(self._show_rows)
        self._jobs.told.connect(self._hear)
        self._jobs.failed.connect(self.foot.say)


def _scrolled(column: QWidget, width_px: int) -> QScrollArea:
    """A column of fixed width that scrolls where the window is low."""
    area = QScrollArea()
    area.setWidget(column)
    area.setWidgetResizable(True)
    area.setFixedWidth(width_px)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _say(where: QLabel, text: str) -> None:
    where.setText(text)
    where.setToolTip(text)
    where.setAccessibleName(text)
