"""How good a batch of generated breasts is: measured, never looked at only.

Compared are whole breasts that the generator drew itself, at 0.8 mm, prepared as every image
is. Real (or simulated) images that the generator was not taught on are what they are compared
with; those that it was taught on show whether it copies. What the estimators of density, view
and side reach on the images of known truth stands beside what they say of the generated ones.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import DataError
from ml.files import replacing
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import prepare
from ml.mammo.read import read_mammogram
from ml.manifest import Source, read_manifest
from ml.registry import Figure, name_sha256
from ml.synth.balance import SIDES, VIEWS
from ml.synth.estimators import DensityEstimator, ViewEstimator, find_tissue, side_of
from ml.synth.features import spaces
from ml.synth.known import SIDE, small_picture
from ml.synth.metrics import (
    NEIGHBOURS,
    Estimate,
    kid,
    mean_of,
    nearest,
    ratio_of,
    similarity,
    spheres,
    told_apart,
)
from ml.synth.teaching import ANATOMY
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.control import Control
    from ml.manifest import Manifest, ManifestRow
    from ml.synth.features import Space

    Images = Sequence[NDArray[np.float32]]

# Fewer say nothing.
LEAST = 4 * NEIGHBOURS
MOST = 500
JSON, PAGE = "quality.json", "quality.md"
GENERATED, FLOOR = "generated", "held-out, by halves"


class TooFewError(DataError):
    """Too few images to measure anything on: the images themselves are fine."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Whole breasts and what is said of them.

    Attributes
    ----------
    images : sequence of (256, 256) float32
        In 0..1, of 0.8 mm, chest wall at the left where the header says where it is.
    rows
        One each.
    """

    images: Images
    rows: tuple[ManifestRow, ...]

    def picked(self, indices: Sequence[int]) -> Pictures:
        """Some of them."""
        return Pictures([self.images[i] for i in indices], tuple(self.rows[i] for i in indices))


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


def measure_folder(
    folder: Path, reference: Path, training_patients: Sequence[str], control: Control
) -> Path:
    """Measure a finished folder against a manifest's images; write JSON and a page beside it.

    Parameters
    ----------
    reference
        Manifest of images of known view, side and density.
    training_patients
        Of the generator's card: these rows of the reference are what it was taught on.

    Returns
    -------
    Path
        Of the JSON.

    Raises
    ------
    DataError
        Where there are too few images.
    """
    made, known = read_manifest(folder), read_manifest(reference)
    drawn = [row for row in made.rows if row.extra.get("edited") == "no"]
    listed = [row for row in known.rows if row.source is not Source.GENERATED]
    taught = set(training_patients)
    inside = [row for row in listed if name_sha256(row.patient_id) in taught]
    outside = [row for row in listed if name_sha256(row.patient_id) not in taught]
    report = measure(
        read_pictures(made, drawn, control),
        read_pictures(known, inside, control),
        read_pictures(known, outside, control),
        control,
    )
    out = folder / JSON
    for path, text in (
        (out, json.dumps(report.to_json(), indent=1) + "\n"),
        (folder / PAGE, report.table()),
    ):
        with replacing(path) as fresh:
            fresh.write_text(text, encoding="utf-8")
    return out


def read_pictures(
    manifest: Manifest, rows: Sequence[ManifestRow], control: Control, seed: int = 0
) -> Pictures:
    """Prepare images, at most `MOST` of them by lot."""
    order = np.random.default_rng(seed).permutation(len(rows))[:MOST]
    images, kept = [], []
    for index in order:
        control.breathe()
        row = rows[index]
        if row.view in VIEWS and row.laterality in SIDES:
            images.append(_prepared(manifest.folder / row.path))
            kept.append(row)
    return Pictures(images, tuple(kept))


def _prepared(path: Path) -> NDArray[np.float32]:
    mammogram = read_mammogram(path)
    canvas = prepare(read_pixels(mammogram), mammogram, ANATOMY)
    return np.asarray(canvas.pixels, np.float32) / np.float32(65535)


def measure(
    made: Pictures, taught: Pictures, held_out: Pictures, control: Control
) -> QualityReport:
    """All figures.

    Parameters
    ----------
    made
        Generated images.
    taught
        What the generator was taught on; may be empty: then nothing is said of copies.
    held_out
        Images of known truth that it was not taught on.

    Raises
    ------
    TooFewError
        Where there are too few to say anything.
    """
    for name, pictures in ((GENERATED, made), ("held-out", held_out)):
        if len(pictures.images) < LEAST:
            raise TooFewError(
                mark(
                    "Quality is measured on at least {least} images; only {count} are {name}."
                ),
                least=LEAST,
                count=len(pictures.images),
                name=name,
            )
    figures = [*_similar(made, held_out), *_adherence(made, taught, held_out)]
    for space in spaces():
        control.breathe()
        figures += _in_space(space, made, taught, held_out)
    figures += _copies("pixels", _grids(made), _grids(taught), _grids(held_out))
    counts = {
        GENERATED: len(made.images),
        "training": len(taught.images),
        "held-out": len(held_out.images),
    }
    return QualityReport(counts, tuple(figures))


def _patients(pictures: Pictures) -> list[str]:
    return [row.patient_id for row in pictures.rows]


def _halves(pictures: Pictures) -> tuple[list[int], list[int]]:
    """Two halves by lot that share no patient."""
    whose = _patients(pictures)
    drawn = np.random.default_rng(0).permutation(sorted(set(whose))).tolist()
    first = set(drawn[: len(drawn) // 2])
    halves = [
        [i for i, who in enumerate(whose) if (who in first) is side] for side in (True, False)
    ]
    return halves[0], halves[1]


def _figure(name: str, found: Estimate, n: int, data: str) -> Figure:
    return Figure(name, found.value, found.low, found.high, n, data)


def _similar(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    name = "MS-SSIM of pairs"
    yield _figure(name, similarity(made.images), len(made.images), GENERATED)
    yield _figure(name, similarity(held_out.images), len(held_out.images), "held-out")


def _in_space(
    space: Space, made: Pictures, taught: Pictures, held_out: Pictures
) -> Iterator[Figure]:
    seen, real = space(made.images), space(held_out.images)
    yield from _compared(
        space.name, real, seen, (_patients(held_out), _patients(made)), GENERATED
    )
    # What two halves of the real images reach is as good as it gets with so few.
    one, other = _halves(held_out)
    whose = (_patients(held_out.picked(one)), _patients(held_out.picked(other)))
    yield from _compared(space.name, real[one], real[other], whose, FLOOR)
    yield from _copies(space.name, seen, space(taught.images), real)


def _compared(
    space: str,
    real: NDArray[np.float64],
    other: NDArray[np.float64],
    patients: tuple[list[str], list[str]],
    data: str,
) -> Iterator[Figure]:
    distance = kid(real, other)
    yield _figure(f"KID, {space}", distance, len(other), data)
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
        yield _figure(f"{name}, {space}", getattr(found, name), len(other), data)
    apart = told_apart(real, other, patients)
    yield _figure(f"told from real, {space}", apart, 2 * min(len(real), len(other)), data)


def _copies(
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
    yield _figure(f"nearest training image, {space}", mean_of(inside), n, GENERATED)
    yield _figure(f"nearest held-out image, {space}", mean_of(outside), n, GENERATED)
    # Under 1: nearer to what it was taught than to what it never saw.
    name = f"nearest training over held-out, {space}"
    yield _figure(name, ratio_of(inside, outside), n, GENERATED)


def _grids(pictures: Pictures) -> NDArray[np.float64]:
    grids = [small_picture(image) for image in pictures.images]
    return np.asarray(grids, np.float64).reshape(len(grids), SIDE**2)


def _adherence(made: Pictures, taught: Pictures, held_out: Pictures) -> Iterator[Figure]:
    """How often others see what was asked for; beside it, how often they are right."""
    teaching = taught
    testing = held_out
    if len({row.view for row in taught.rows}) < 2 or len(taught.rows) < LEAST:
        # Halves: an estimator is not measured on what it was fitted on.
        teaching, testing = (held_out.picked(half) for half in _halves(held_out))
    yield from _sides(made, held_out)
    yield from _densities(made, held_out)
    if len({row.view for row in teaching.rows}) == 2:
        estimator = ViewEstimator(teaching.images, [_is_mlo(row) for row in teaching.rows])
        for data, pictures in ((GENERATED, made), ("held-out", testing)):
            right = estimator(pictures.images) == [_is_mlo(row) for row in pictures.rows]
            yield _figure("view as asked", mean_of(np.asarray(right, float)), len(right), data)


def _is_mlo(row: ManifestRow) -> bool:
    return row.view is ViewPosition.MLO


def _sides(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    """The header has turned the chest wall to the left: if it is there, the side is right."""
    for data, pictures in ((GENERATED, made), ("held-out", held_out)):
        found = [side_of(find_tissue(image)) is Laterality.LEFT for image in pictures.images]
        yield _figure("side as asked", mean_of(np.asarray(found, float)), len(found), data)


def _densities(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    estimator = DensityEstimator.installed()
    if estimator is None:
        return
    for data, pictures in ((GENERATED, made), ("held-out", held_out)):
        off = np.asarray(_grades_off(estimator, pictures), float)
        if off.size:
            yield _figure(
                "density as asked", mean_of(np.asarray(off == 0, float)), off.size, data
            )
            within = mean_of(np.asarray(off <= 1, float))
            yield _figure("density within one grade", within, off.size, data)


def _grades_off(estimator: DensityEstimator, pictures: Pictures) -> list[int]:
    grades = list(BreastDensity)
    found = []
    for image, row in zip(pictures.images, pictures.rows, strict=True):
        tissue = find_tissue(image)
        if row.density is not None and tissue.mask.any():
            said = int(estimator(image, tissue, ANATOMY.pixel_mm).argmax())
            found.append(abs(said - grades.index(row.density)))
    return found
