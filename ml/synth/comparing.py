"""What every measure of quality shares: one set beside another, and the report of it."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import DataError
from ml.registry import Figure
from ml.synth.metrics import (
    NEIGHBOURS,
    Estimate,
    kid,
    mean_of,
    nearest,
    ratio_of,
    spheres,
    told_apart,
)
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

# Fewer say nothing.
LEAST = 4 * NEIGHBOURS
GENERATED, HELD_OUT, FLOOR = "generated", "held-out", "held-out, by halves"


class TooFewError(DataError):
    """Too few images to measure anything on: the images themselves are fine."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was measured, and on how many.

    Attributes
    ----------
    counts
        Images of ``"generated"``, ``"training"`` and ``"held-out"``.
    figures
        `Figure.data` names what the figure is of: the generated images, or, beside them, images
        of known truth; what could not be measured is not there.
    """

    counts: Mapping[str, int]
    figures: tuple[Figure, ...]

    def to_json(self) -> dict[str, object]:
        """As it is kept beside the images."""
        return {
            "counts": dict(self.counts),
            "figures": [asdict(figure) for figure in self.figures],
        }

    @staticmethod
    def from_json(values: Mapping[str, object]) -> QualityReport:
        """Back from a file.

        Raises
        ------
        DataError
            Where it is no report.
        """
        try:
            counts = {str(k): int(v) for k, v in values["counts"].items()}  # type: ignore[attr-defined]
            figures = tuple(Figure(**figure) for figure in values["figures"])  # type: ignore[attr-defined]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                mark("The report of quality cannot be read; measure again."),
                detail=str(error),
            ) from error
        return QualityReport(counts, figures)

    def table(self) -> str:
        """A table in Markdown, one line a figure."""
        counted = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        head = ("| figure | of | value | 95 % | n |", "|---|---|--:|--:|--:|")
        lines = [f"Images: {counted}.", "", *head]
        lines += [
            f"| {f.name} | {f.data} | {f.value:.3f} | {f.low:.3f} to {f.high:.3f} | {f.n} |"
            for f in self.figures
        ]
        return "\n".join(lines) + "\n"


def joined(reports: Sequence[QualityReport]) -> QualityReport:
    """Several reports as one, in their order."""
    counts = ChainMap(*(dict(report.counts) for report in reversed(reports)))
    return QualityReport(dict(counts), tuple(f for report in reports for f in report.figures))


def refuse_few(name: str, count: int) -> None:
    """Nothing is said of few images.

    Raises
    ------
    TooFewError
        Where there are less than `LEAST`.
    """
    if count < LEAST:
        raise TooFewError(
            mark("Quality is measured on at least {least} images; only {count} are {name}."),
            least=LEAST,
            count=count,
            name=name,
        )


def halves(patients: Sequence[str]) -> tuple[list[int], list[int]]:
    """Two halves of images by lot that share no patient."""
    drawn = np.random.default_rng(0).permutation(sorted(set(patients))).tolist()
    first = set(drawn[: len(drawn) // 2])
    one, other = (
        [i for i, who in enumerate(patients) if (who in first) is side]
        for side in (True, False)
    )
    return one, other


def figure_of(name: str, found: Estimate, n: int, data: str) -> Figure:
    """An estimate with its name, and what it is of."""
    return Figure(name, found.value, found.low, found.high, n, data)


def compared(
    space: str,
    real: NDArray[np.float64],
    other: NDArray[np.float64],
    patients: tuple[Sequence[str], Sequence[str]],
    data: str,
) -> Iterator[Figure]:
    """Distance, spheres, and how well the two are told apart.

    Parameters
    ----------
    space
        Where they are compared, for the reader.
    real, other : (n, d) and (m, d) float64
        At least `LEAST` each.
    patients
        Of each image of the one and of the other.
    data
        What the figures are of.
    """
    distance = kid(real, other)
    yield figure_of(f"KID, {space}", distance, len(other), data)
    yield Figure(
        f"KID, {space}: deviation over subsets",
        distance.deviation,
        distance.deviation,
        distance.deviation,
        len(other),
        data,
    )
    found = spheres(real, other)
    for name in ("precision", "recall", "density", "coverage"):
        yield figure_of(f"{name}, {space}", getattr(found, name), len(other), data)
    apart = told_apart(real, other, patients)
    yield figure_of(f"told from real, {space}", apart, 2 * min(len(real), len(other)), data)


def copies(
    space: str,
    made: NDArray[np.float64],
    taught: NDArray[np.float64],
    held_out: NDArray[np.float64],
) -> Iterator[Figure]:
    """Nearest distances to as many of both: a larger set has nearer neighbours."""
    size = min(len(taught), len(held_out))
    if size < LEAST:
        return
    rng = np.random.default_rng(0)
    inside = nearest(made, taught[rng.permutation(len(taught))[:size]])
    outside = nearest(made, held_out[rng.permutation(len(held_out))[:size]])
    n = len(made)
    yield figure_of(f"nearest training image, {space}", mean_of(inside), n, GENERATED)
    yield figure_of(f"nearest held-out image, {space}", mean_of(outside), n, GENERATED)
    # Under 1: nearer to what it was taught than to what it never saw.
    name = f"nearest training over held-out, {space}"
    yield figure_of(name, ratio_of(inside, outside), n, GENERATED)
