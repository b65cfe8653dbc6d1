"""The summary of a screening: what was met, and its scores beside those of the model's card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ml.texts import RESEARCH_USE_ONLY, translate
from viewer.core.screening_summary import facts_of, made_text, scores_text, shares_of
from viewer.core.state import RANKED
from viewer.qt import palette
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.plots import GROUND, chart, pg

if TYPE_CHECKING:
    from ml.screen.worklist import WorkList
    from viewer.core.screening_summary import Shares

WIDTH_PX, PLOT_PX = 320, 190


class SummaryPanel(QFrame):
    """Counts over a plot.

    Signals
    -------
    report_requested
        The page with all studies is to be seen.
    """

    report_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("summary")
        self.setFixedWidth(WIDTH_PX)
        self.report = QPushButton()
        name_button(self.report, translate("Open the report"))
        self.report.setAutoDefault(False)
        self.report.clicked.connect(self.report_requested)
        self._shown: tuple[WorkList, str] | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 12)
        rows.addWidget(self._scroll, 1)
        rows.addWidget(self.report, 0, Qt.AlignmentFlag.AlignCenter)

    def show_work(self, work: WorkList, order: str) -> None:
        """Show the summary of a list; read blind, nothing of its scores.

        Parameters
        ----------
        order
            As of `viewer.core.screening.View`.
        """
        # The page shows every score: it is not for one who reads blind.
        self.report.setVisible(order == RANKED)
        if self._shown is not None and self._shown[0] is work and self._shown[1] == order:
            return
        self._shown = (work, order)
        column = QWidget()
        column.setObjectName("column")
        rows = QVBoxLayout(column)
        rows.setContentsMargins(18, 14, 18, 8)
        rows.setSpacing(8)
        _add_facts(rows, work, order)
        if order == RANKED:
            _add_scores(rows, work)
        else:
            text = translate("Scores are hidden while the list is read blind.")
            rows.addWidget(label(text, "dim"))
        rows.addWidget(label(made_text(work), "dim"))
        rows.addWidget(label(translate(RESEARCH_USE_ONLY), "dim"))
        rows.addStretch(1)
        self._scroll.setWidget(column)


def _add_facts(rows: QVBoxLayout, work: WorkList, order: str) -> None:
    rows.addWidget(label(translate("SUMMARY"), "heading"))
    if work.summary is None:
        text = translate("The list was written before summaries were; screen the folder again.")
        rows.addWidget(label(text, "dim"))
        return
    grid = QGridLayout()
    grid.setVerticalSpacing(3)
    for number, (name, count) in enumerate(facts_of(work.summary, order)):
        grid.addWidget(label(name, "dim"), number, 0)
        figure = label(count, "count", wrap=False)
        figure.setAccessibleName(f"{name}: {count}")
        grid.addWidget(figure, number, 1, Qt.AlignmentFlag.AlignRight)
    grid.setColumnStretch(0, 1)
    rows.addLayout(grid)


def _add_scores(rows: QVBoxLayout, work: WorkList) -> None:
    if work.summary is None:
        return
    head = label(translate("LESION SCORES OF THE IMAGES"), "heading")
    head.setContentsMargins(0, 10, 0, 0)
    rows.addWidget(head)
    if (shares := shares_of(work.summary)) is not None:
        rows.addWidget(score_plot(shares))
        for sign, words, colour in _legend(shares):
            key = label(f"{sign} {words}", wrap=False)
            key.setStyleSheet(f"color: {colour};")
            rows.addWidget(key)
    rows.addWidget(label(scores_text(work.summary), "dim"))


def _legend(shares: Shares) -> tuple[tuple[str, str, str], ...]:
    parts = (
        (shares.folder, translate("this folder"), _BARS),
        (shares.without, translate("card, without lesion"), palette.READER),
        (shares.with_lesion, translate("card, with lesion"), palette.MACHINE),
    )
    keys = tuple(("■", words, colour) for part, words, colour in parts if part)
    if shares.threshold is None:
        return keys
    point = translate("operating point {value}").format(value=f"{shares.threshold:.2f}")
    return (*keys, ("┆", point, palette.ALARM))


_BARS = "#5c7d90"


def score_plot(shares: Shares) -> QWidget:
    """Images by score: bars for the folder, steps for the card."""
    plot = chart(translate("Share of the images by lesion score"))
    plot.setFixedHeight(PLOT_PX)
    bins = len(shares.folder)
    edges = [number / bins for number in range(bins + 1)]
    bars = pg.BarGraphItem(
        x0=edges[:-1], x1=edges[1:], height=list(shares.folder), brush=_BARS, pen=GROUND
    )
    plot.addItem(bars)
    for part, colour in (
        (shares.without, palette.READER),
        (shares.with_lesion, palette.MACHINE),
    ):
        if part:
            pen = pg.mkPen(colour, width=2)
            plot.addItem(pg.PlotDataItem(edges, list(part), stepMode="center", pen=pen))
    if shares.threshold is not None:
        pen = pg.mkPen(palette.ALARM, width=1, style=Qt.PenStyle.DashLine)
        plot.addItem(pg.InfiniteLine(shares.threshold, pen=pen))
    plot.setXRange(0, 1, padding=0.03)
    plot.getAxis("bottom").setTicks([[(mark / 4, f"{mark / 4:g}") for mark in range(5)]])
    plot.setYRange(0, max((*shares.folder, *shares.without, *shares.with_lesion)) * 1.08)
    plot.getAxis("left").setScale(100)
    plot.getAxis("left").setLabel(translate("% of images"), color=palette.DIM)
    return plot
