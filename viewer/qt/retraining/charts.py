"""Charts by pyqtgraph: the losses of a training, and a figure beside what chance reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.texts import translate
from viewer.core.retraining import STAGES, smoothed, stages_of
from viewer.qt import palette
from viewer.qt.plots import GROUND, chart, pg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.core.retraining import Point

BINS, HEIGHT_PX = 24, 210
COLOURS = (palette.ACCENT, palette.MACHINE, palette.READER)


class CurveChart:
    """The losses of each stage: every one as a dot, their running mean as a line."""

    def __init__(self) -> None:
        self.widget = chart(translate("Errors while it learns"))
        self.widget.setLabel("bottom", translate("steps"), color=palette.DIM)
        self.widget.setLabel("left", translate("error"), color=palette.DIM)
        self.widget.addLegend(labelTextColor=palette.TEXT, offset=(-10, 10))

    def show(self, points: Sequence[Point]) -> None:
        """Draw all points anew."""
        self.widget.clear()
        for number, (stage, of_stage) in enumerate(stages_of(points).items()):
            colour = COLOURS[number % len(COLOURS)]
            steps = [point.done for point in of_stage]
            losses = [point.loss for point in of_stage]
            faint = pg.mkBrush(colour + "50")
            self.widget.plot(
                steps,
                losses,
                pen=None,
                symbol="o",
                symbolSize=3,
                symbolPen=None,
                symbolBrush=faint,
            )
            name = translate(STAGES[stage]) if stage in STAGES else stage
            pen = pg.mkPen(colour, width=2)
            self.widget.plot(steps, smoothed(of_stage), pen=pen, name=name)
        if points:
            self.widget.setXRange(0, points[-1].of, padding=0.02)


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
    plot.hideAxis("left")
    plot.setXRange(low, high, padding=0.02)
    return plot
