"""Charts by pyqtgraph: the losses of a training, and a figure beside what chance reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QSizePolicy

from ml.texts import translate
from viewer.core.retraining import STAGES, smoothed, spread, stages_of
from viewer.qt import palette
from viewer.qt.plots import GROUND, chart, pg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.core.retraining import Point

BINS, HEIGHT_PX = 24, 210
# Of the curve: what is under it, such as samples, has to scroll.
LEAST_PX = 280
# A dot has so much room of its own; a window that is not there yet has no width to speak of.
DOT_PX, LEAST_DOTS = 3, 100
COLOURS = (palette.ACCENT, palette.MACHINE, palette.READER)


class CurveChart:
    """The losses of each stage: dots, and their running mean as a line.

    As many are drawn as there is room for, however long the training is.
    """

    def __init__(self) -> None:
        self.widget = chart(translate("Errors while it learns"))
        self.widget.setMinimumHeight(LEAST_PX)
        # As high as there is room, whatever it would like to be.
        self.widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.widget.setLabel("bottom", translate("steps"), color=palette.DIM)
        self.widget.setLabel("left", translate("error"), color=palette.DIM)
        self.widget.addLegend(labelTextColor=palette.TEXT, offset=(-10, 10))
        # By stage: the dots, and the line.
        self._drawn: dict[str, tuple[Any, Any]] = {}

    def show(self, points: Sequence[Point]) -> None:
        """Draw all points anew."""
        stages = stages_of(points)
        if list(self._drawn) != list(stages)[: len(self._drawn)]:
            self.widget.clear()
            self._drawn.clear()
        # A stage has its share of the room, for it has its share of the steps.
        room = max(self.widget.width() // DOT_PX, LEAST_DOTS)
        for stage, of_stage in stages.items():
            if stage not in self._drawn:
                self._drawn[stage] = self._begin(stage)
            dots, line = self._drawn[stage]
            means = smoothed(of_stage)
            kept = spread(len(of_stage), max(room * len(of_stage) // len(points), 2))
            steps = [of_stage[at].done for at in kept]
            dots.setData(steps, [of_stage[at].loss for at in kept])
            line.setData(steps, [means[at] for at in kept])
        if points:
            self.widget.setXRange(0, points[-1].of, padding=0.02)

    def _begin(self, stage: str) -> tuple[Any, Any]:
        """The dots and the line of a stage, in a colour of their own."""
        colour = COLOURS[len(self._drawn) % len(COLOURS)]
        dots = pg.ScatterPlotItem(size=DOT_PX, pen=None, brush=pg.mkBrush(colour + "50"))
        self.widget.addItem(dots)
        name = translate(STAGES[stage]) if stage in STAGES else stage
        line = self.widget.plot(pen=pg.mkPen(colour, width=2), name=name)
        return dots, line


def chance_chart(chance: Sequence[float], reached: float, name: str) -> Any:
    """How often chance reaches what, and where this set stands.

    Parameters
    ----------
    chance
        What shuffled answers reach.
    reached
        By the set itself.
    """
    plot = chart(name)
    plot.setFixedHeight(HEIGHT_PX)
    low, high = min(0.3, *chance, reached), max(1.0, *chance, reached)
    counts, edges = np.histogram(np.array(chance), BINS, (low, high))
    bars = pg.BarGraphItem(
        x0=edges[:-1], x1=edges[1:], height=counts, brush="#31424d", pen=GROUND
    )
    plot.addItem(bars)
    line = pg.InfiniteLine(
        reached,
        pen=pg.mkPen(palette.ALARM, width=2),
        label=translate("this set {value}").format(value=f"{reached:.2f}"),
        labelOpts={"position": 0.92, "color": palette.STANDING, "anchors": [(1, 0), (1, 0)]},
    )
    plot.addItem(line)
    words = translate("share of pairs in which the right one is picked")
    plot.setLabel("bottom", words, color=palette.DIM)
    plot.hideAxis("left")
    plot.setXRange(low, high, padding=0.02)
    return plot
