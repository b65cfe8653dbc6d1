"""The plots of a report, each as an SVG text; the same figures give the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

BLUE, GREY = "#1f5fa8", "#9aa4b1"
SIZE_INCHES = (4.2, 3.4)


def froc_plot(
    curve: Mapping[str, Sequence[float]], points: Sequence[Mapping[str, object]]
) -> str:
    """Sensitivity over false marks per lesion-free image, with the measured intervals."""

    def draw(axes: Axes) -> None:
        axes.step(curve["false_marks"], curve["sensitivity"], where="post", color=BLUE, lw=1.6)
        if curve["false_marks"]:
            # Below the detector's floor there is no mark: the curve goes no further up.
            last = curve["sensitivity"][-1]
            axes.plot([curve["false_marks"][-1], 8], [last, last], color=BLUE, lw=1, ls=":")
        for point in points:
            _interval(axes, float(point["false_marks"]), point["sensitivity"])  # type: ignore[arg-type]
        axes.set_xscale("symlog", linthresh=0.125)
        ticks = [0, 0.125, 0.25, 0.5, 1, 2, 4]
        axes.set_xticks(ticks, ["0", "1/8", "1/4", "1/2", "1", "2", "4"])
        axes.minorticks_off()
        axes.set_xlim(0, 8)
        _name(axes, "false marks per lesion-free image", "sensitivity")

    return _svg(draw)


def roc_plot(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """The ROC curves of one question, a line for each level."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls=":")
        for (name, curve), style in zip(curves.items(), ("-", "--", "-."), strict=False):
            x, y = curve["false_positive_rate"], curve["sensitivity"]
            axes.plot(x, y, color=BLUE, lw=1.5, ls=style, label=name)
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        axes.set_xlim(0, 1)
        _name(axes, "1 - specificity", "sensitivity")

    return _svg(draw)


def calibration_plot(bins: Sequence[Mapping[str, float]]) -> str:
    """Share of positives over mean probability, in bins of equal mass."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls=":")
        x = [each["probability"] for each in bins]
        axes.plot(x, [each["positives"] for each in bins], "o-", color=BLUE, ms=4, lw=1.2)
        axes.set_xlim(0, 1)
        _name(axes, "probability", "share of positives")

    return _svg(draw)


def table_plot(table: Sequence[Sequence[int]]) -> str:
    """Known density letters (rows) and those that were said (columns)."""

    def draw(axes: Axes) -> None:
        most = max(max(row) for row in table) or 1
        axes.imshow(table, cmap="Blues", vmin=0, vmax=most)
        for row, counts in enumerate(table):
            for column, count in enumerate(counts):
                ink = "white" if count > most / 2 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=ink)
        axes.set_xticks(range(4), list("ABCD"))
        axes.set_yticks(range(4), list("ABCD"))
        axes.set_xlabel("said")
        axes.set_ylabel("known")

    return _svg(draw)


def _interval(axes: Axes, x: float, estimate: Mapping[str, float | None]) -> None:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None or low is None or high is None:
        return
    axes.vlines(x, low, high, color=BLUE, lw=1, alpha=0.6)
    axes.plot(x, value, "o", color=BLUE, ms=4)


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(0, 1.02)
    axes.grid(color="#e3e7ec", lw=0.6)


def _svg(draw: Callable[[Axes], None]) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Salted ids and no date: a report that says the same is the same file.
    with mpl.rc_context({"svg.hashsalt": "mammoscope", "svg.fonttype": "none"}):
        figure = Figure(SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
