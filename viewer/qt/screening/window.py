"""The window of a screening: a folder is screened in the background, and its list is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
)

from ml.screen.order import ScreenOrder
from ml.texts import translate
from viewer.core.reading import utc_now
from viewer.core.screening import View
from viewer.core.state import BLIND, RANKED
from viewer.jobs import screen_deeds, screened
from viewer.jobs.job import Job
from viewer.jobs.screen_deeds import RETRY_FAILED, SCREEN, START
from viewer.qt.cards import label
from viewer.qt.dialogs.base import PAGE, Dialog, name_button
from viewer.qt.foot import Foot
from viewer.qt.screening.list_panel import ListPanel
from viewer.qt.screening.order_choice import OrderChoice
from viewer.qt.screening.order_row import OrderRow
from viewer.qt.screening.style import STYLE
from viewer.qt.screening.summary_panel import SummaryPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QHideEvent, QShowEvent

    from viewer.library.job_row import JobRow
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs
    from viewer.qt.screening.reading import ListReading

SIZE_PX = (1500, 860)
REPORT = "report.html"


@dataclass(frozen=True, slots=True)
class Places:
    """Where screenings work, and with what.

    Attributes
    ----------
    screenings
        Gets a folder for each screening that names no other.
    kept
        Where the reader's places are kept.
    lane
        Gives the device of a new job.
    pattern
        Gives the rule that groups files into studies.
    reads_blind
        Says whether the reader wants the machine silent at first.
    bring_up
        Has the images come to the front.
    """

    screenings: Path
    kept: Path
    lane: Callable[[], str]
    pattern: Callable[[], str]
    reads_blind: Callable[[], bool]
    bring_up: Callable[[], object]


class ScreeningDialog(Dialog):
    """Screens folders and shows their lists; it blocks nothing.

    It has no parent, for it stands beside the images or behind them, as the reader wants.
    """

    def __init__(
        self, jobs: LongJobs, runner: JobRunner, reading: ListReading, places: Places
    ) -> None:
        super().__init__(translate("Screen a folder"), None)
        self.setProperty(PAGE, "screening.md")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._jobs, self._runner, self._places = jobs, runner, places
        self.reading = reading
        reading.setParent(self)
        self._told = ""
        self._order = BLIND if places.reads_blind() else RANKED
        self._ended: set[int] = set()
        self.orders = OrderChoice()
        self.choice, self.open_list = QComboBox(), QPushButton()
        self.order = OrderRow()
        self.list, self.summary, self.foot = ListPanel(), SummaryPanel(), Foot()
        self.invitation = label("", "invitation")
        self._pages = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show()
        self.order.choose_folder.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        """Look which lists there are, and show the one that is made or was written last."""
        super().showEvent(event)
        self._read_lists()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep the reader's place."""
        super().hideEvent(event)
        self.reading.keep()

    # What is asked for

    def choose_list(self) -> None:
        """Ask for the folder of a list that was made before."""
        title = translate("Folder of the results")
        if name := QFileDialog.getExistingDirectory(self, title):
            self.open_results(Path(name))

    def open_results(self, results: Path) -> None:
        """Show the list in a folder of results."""
        self._say("")
        self.reading.read(results, View(order=self._order))

    def act(self, name: str) -> None:
        """Do what a button of the bottom line says."""
        if name in (START, RETRY_FAILED):
            self._start(retry_failed=name == RETRY_FAILED)
        elif (row := self._row()) is not None:
            self._jobs.steer(name, row.id)

    def press(self, name: str) -> None:
        """Do what a button under the list says."""
        chosen = self.list.table.chosen
        deeds: dict[str, Callable[[], object]] = {
            "open": lambda: self.reading.open(chosen) if chosen else None,
            "previous": partial(self._go, partial(self.reading.step, -1)),
            "next": partial(self._go, partial(self.reading.step, 1)),
            "next_unread": partial(self._go, self.reading.next_unread),
        }
        deeds[name]()

    def step(self, by: int) -> bool:
        """Go to the next study (1) or the previous one (-1); False at the ends."""
        return self._go(partial(self.reading.step, by))

    def _go(self, go: Callable[[], bool]) -> bool:
        gone = go()
        self._say("" if gone else translate("There is no further study in the list."))
        return gone

    def _start(self, *, retry_failed: bool = False) -> None:
        folder, results = self.order.places
        pattern = self._places.pattern()
        order = ScreenOrder(folder, results, patient_pattern=pattern, retry_failed=retry_failed)
        title = translate("Screen {name}").format(name=Path(folder).name)

        def submit(_: object) -> None:
            self._jobs.submit(
                SCREEN, title, order.to_json(), self._places.lane(), lambda _: None
            )

        self._say("")
        self._do(translate("Beginning a screening"), partial(screened.begin, order), submit)

    def _read_as(self, order: str) -> None:
        """Read the list ranked or blind; before there is one, the next that was never read."""
        self._order = order
        if self.reading.listed is not None:
            self.reading.see(replace(self.reading.listed.view, order=order))

    def _open_report(self) -> None:
        if self.reading.results is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.reading.results / REPORT)))

    # What comes

    def _row(self) -> JobRow | None:
        results = self.order.places[1]
        return screen_deeds.row_into(self._jobs.rows, results) if results else None

    def _hear(self, job_id: int, news: Mapping[str, object]) -> None:
        row = self._jobs.row(job_id)
        if row is not None and news.get("phase") == "done" and row == self._row():
            self._read_again(row)

    def _show_rows(self, rows: tuple[JobRow, ...]) -> None:
        """A screening that ended left a list."""
        ended = {row.id for row in rows if row.state.is_ended}
        row = self._row()
        if row is not None and row.id in ended - self._ended and "report" in row.news:
            self._read_again(row)
        if any(each.id in ended - self._ended for each in rows if each.kind == SCREEN):
            self._read_lists()
        self._ended = ended
        self._show_foot()
        self._show_invitation()

    def _read_again(self, row: JobRow) -> None:
        self.open_results(Path(str(row.spec["out"])))

    def _on_folder(self) -> None:
        """Find a place for the results of another folder."""
        folder = self.order.places[0]
        if not folder:
            return
        work = partial(
            screened.results_for, self._places.screenings, Path(folder), utc_now()[:10]
        )
        self._do(translate("Looking for lists"), work, self._put_results)

    def _put_results(self, made: Path) -> None:
        self.order.put_results(str(made))

    def _on_places(self) -> None:
        """Another folder of results: what lies there is shown, and else nothing."""
        self._told = ""
        results = Path(self.order.places[1])
        if results != self.reading.results:
            self.reading.leave()
            work = (results / screened.WORKLIST).exists
            found = partial(self._on_looked, results)
            self._do(translate("Looking for lists"), work, found)
        self._show()

    def _on_looked(self, results: Path, there: bool) -> None:
        if there and Path(self.order.places[1]) == results:
            self.open_results(results)

    def _read_lists(self) -> None:
        work = partial(screened.lists_of, self._places.screenings, self._places.kept)
        self._do(translate("Looking for lists"), work, self._take_lists)

    def _take_lists(self, folders: tuple[Path, ...]) -> None:
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(translate("Lists"), "")
        for folder in folders:
            self.choice.addItem(folder.name, str(folder))
        self.choice.blockSignals(False)
        self.choice.setVisible(bool(folders))
        self._mark_choice()
        if self.order.places != ("", "") or self.reading.listed is not None:
            return
        at_work = [row for row in self._jobs.rows if row.kind == SCREEN]
        running = next((row for row in at_work if not row.state.is_ended), None)
        if running is not None:
            self.order.show_places(str(running.spec["folder"]), str(running.spec["out"]))
            self._on_places()
        elif folders:
            self.open_results(folders[0])

    def _choose_listed(self, index: int) -> None:
        if folder := str(self.choice.itemData(index) or ""):
            self.open_results(Path(folder))

    def _on_list(self) -> None:
        listed, results = self.reading.listed, self.reading.results
        if listed is not None and str(results) != self.order.places[1]:
            self.order.show_places(listed.work.folder, str(results))
            self._read_lists()
        self._show()

    def _on_shown(self, *_: object) -> None:
        self._places.bring_up()

    def _say(self, sentence: str) -> None:
        self._told = sentence
        self._show_foot()

    def _do(self, title: str, work: Callable[[], object], done: Callable[..., object]) -> None:
        """Do something where disks are read; what the user may be told is told."""
        self._runner.attempt(Job(title, work), done, self._say)

    # How it looks

    def _show(self) -> None:
        listed = self.reading.listed
        if listed is not None:
            self.list.show_listed(listed)
            self.summary.show_work(listed.work, listed.view.order)
            self.list.buttons["open"].setEnabled(bool(listed.shown))
        self.orders.show_order(self._order if listed is None else listed.view.order)
        self._pages.setCurrentIndex(0 if listed is None else 1)
        self.summary.setVisible(listed is not None)
        self._mark_choice()
        self._show_invitation()
        self._show_foot()

    def _show_invitation(self) -> None:
        row = self._row()
        text = translate(
            "Choose a folder and press Screen: every study in it is looked at, and listed in "
            "the order in which to read them.\n\nOr open a list that was made before."
        )
        if row is not None and not row.state.is_ended:
            text = translate("The list appears here once every image was looked at.")
        self.invitation.setText(text)
        self.invitation.setAccessibleName(text)

    def _show_foot(self) -> None:
        listed = self.reading.listed
        summary = listed.work.summary if listed is not None else None
        foot = screen_deeds.foot_of(
            self._row(),
            self._jobs.rows,
            again=listed is not None,
            failed=summary is not None and summary.failed > 0,
        )
        if self._told:
            foot = replace(foot, sentence=self._told)
        self.foot.show_foot(foot, enabled=all(self.order.places))

    def _mark_choice(self) -> None:
        results = str(self.reading.results) if self.reading.listed is not None else ""
        self.choice.blockSignals(True)
        self.choice.setCurrentIndex(max(self.choice.findData(results), 0))
        self.choice.blockSignals(False)

    def _lay_out(self) -> None:
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self.setStyleSheet(STYLE)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(0)
        self.rows.addWidget(self._make_head())
        self.rows.addWidget(self.order)
        self.invitation.setObjectName("nothing")
        self.invitation.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages.addWidget(self.invitation)
        self._pages.addWidget(self.list)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._pages, 1)
        middle.addWidget(self.summary)
        self.rows.addLayout(middle, 1)
        self.rows.addWidget(self.foot)
        self.take_room(*SIZE_PX)

    def _make_head(self) -> QFrame:
        head = QFrame()
        head.setObjectName("head")
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 11, 16, 11)
        row.setSpacing(10)
        row.addWidget(label(self.windowTitle(), "title", wrap=False))
        row.addStretch(1)
        row.addWidget(self.orders)
        row.addSpacing(14)
        self.choice.setAccessibleName(translate("Lists"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.hide()
        row.addWidget(self.choice)
        name_button(self.open_list, translate("Open a list…"))
        self.open_list.setAutoDefault(False)
        row.addWidget(self.open_list)
        return head

    def _connect(self) -> None:
        self.orders.chosen.connect(self._read_as)
        self.open_list.clicked.connect(self.choose_list)
        self.choice.currentIndexChanged.connect(self._choose_listed)
        self.order.folder_changed.connect(self._on_folder)
        self.order.changed.connect(self._on_places)
        self.list.view_wanted.connect(self.reading.see)
        self.list.wanted.connect(self.reading.open)
        self.list.pressed.connect(self.press)
        self.summary.report_requested.connect(self._open_report)
        self.foot.pressed.connect(self.act)
        self.reading.changed.connect(self._on_list)
        self.reading.told.connect(self._say)
        self.reading.opener.shown.connect(self._on_shown)
        self._jobs.changed.connect(self._show_rows)
        self._jobs.told.connect(self._hear)
        self._jobs.failed.connect(self._say)
