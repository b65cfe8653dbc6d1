"""Plots by pyqtgraph in the colours of the theme."""

from __future__ import annotations

from typing import Any, cast

import pyqtgraph  # pyright: ignore[reportMissingTypeStubs]

from viewer.qt import palette

# It has no types.
pg = cast("Any", pyqtgraph)
GROUND = "#0c0f11"


def chart(name: str) -> Any:
    """An empty plot in the colours of the theme, without mouse and menu."""
    plot = pg.PlotWidget(background=GROUND)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setAccessibleName(name)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(palette.LINE)
        axis.setTextPen(palette.DIM)
    return plot
