"""How good a batch of generated breasts is: measured, never looked at only.

Compared are whole breasts that the generator drew itself, at 0.8 mm, prepared as every image
is. Real (or simulated) images that the generator was not taught on are what they are compared
with; those that it was taught on show whether it copies. What the estimators of density, view
and side reach on the images of known truth stands beside what they say of the generated ones.
Painted lesions are compared with others in pieces about them (`ml.synth.quality_pieces`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.files import replacing
from ml.hashed import name_sha256
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import prepare
from ml.mammo.read import read_mammogram
from ml.manifest import Source, read_manifest
from ml.synth.balance import SIDES, VIEWS
from ml.synth.comparing import (
    FLOOR,
    GENERATED,
    HELD_OUT,
    LEAST,
    QualityReport,
    TooFewError,
    compared,
    copies,
    figure_of,
    halves,
    joined,
    refuse_few,
)
from ml.synth.estimators import DensityEstimator, ViewEstimator, find_tissue, side_of
from ml.synth.features import spaces
from ml.synth.known import SIDE, small_picture
from ml.synth.metrics import mean_of, similarity
from ml.synth.quality_pieces import measure_pieces, read_pieces
from ml.synth.teaching import ANATOMY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.control import Control
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import Figure
    from ml.synth.features import Space

    Images = Sequence[NDArray[np.float32]]

MOST = 500
JSON, PAGE = "quality.json", "quality.md"


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

    @property
    def patients(self) -> list[str]:
        """Whose each image is."""
        return [row.patient_id for row in self.rows]

    def picked(self, indices: Sequence[int]) -> Pictures:
        """Some of them."""
        return Pictures([self.images[i] for i in indices], tuple(self.rows[i] for i in indices))


def measure_folder(
    folder: Path, reference: Path, training_patients: Sequence[str], control: Control
) -> Path:
    """Measure a finished folder against a manifest's images; write JSON and a page beside it.

    Whole breasts and painted lesions are measured each for themselves, where there are enough.

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
    TooFewError
        Where there are too few images of both kinds.
    """
    made, known = read_manifest(folder), read_manifest(reference)
    report = _measured(made, known, set(training_patients), control)
    out = folder / JSON
    for path, text in (
        (out, json.dumps(report.to_json(), indent=1) + "\n"),
        (folder / PAGE, report.table()),
    ):
        with replacing(path) as fresh:
            fresh.write_text(text, encoding="utf-8")
    return out


def _measured(
    made: Manifest, known: Manifest, taught: AbstractSet[str], control: Control
) -> QualityReport:
    """Whole breasts, then lesions; what there is too little of is left out."""
    drawn = [row for row in made.rows if row.extra.get("edited") == "no"]
    listed = [row for row in known.rows if row.source is not Source.GENERATED]
    inside = [row for row in listed if name_sha256(row.patient_id) in taught]
    outside = [row for row in listed if name_sha256(row.patient_id) not in taught]

    def whole() -> QualityReport:
        return measure(
            read_pictures(made, drawn, control),
            read_pictures(known, inside, control),
            read_pictures(known, outside, control),
            control,
        )

    def pieces() -> QualityReport:
        painted = read_pieces(made, made.rows, control)
        return measure_pieces(painted, read_pieces(known, outside, control), control)

    parts: list[QualityReport] = []
    too_few: list[TooFewError] = []
    for part in (whole, pieces):
        try:
            parts.append(part())
        except TooFewError as error:
            too_few.append(error)
    if not parts:
        raise too_few[0]
    return joined(parts)


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
            images.append(_prepared(manifest.file_of(row)))
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
    for name, pictures in ((GENERATED, made), (HELD_OUT, held_out)):
        refuse_few(name, len(pictures.images))
    figures = [*_similar(made, held_out), *_adherence(made, taught, held_out)]
    for space in spaces():
        control.breathe()
        figures += _in_space(space, made, taught, held_out)
    figures += copies("pixels", _grids(made), _grids(taught), _grids(held_out))
    counts = {
        GENERATED: len(made.images),
        "training": len(taught.images),
        HELD_OUT: len(held_out.images),
    }
    return QualityReport(counts, tuple(figures))


def _similar(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    name = "MS-SSIM of pairs"
    yield figure_of(name, similarity(made.images), len(made.images), GENERATED)
    yield figure_of(name, similarity(held_out.images), len(held_out.images), HELD_OUT)


def _in_space(
    space: Space, made: Pictures, taught: Pictures, held_out: Pictures
) -> Iterator[Figure]:
    seen, real = space(made.images), space(held_out.images)
    yield from compared(space.name, real, seen, (held_out.patients, made.patients), GENERATED)
    # What two halves of the real images reach is as good as it gets with so few.
    one, other = halves(held_out.patients)
    whose = (held_out.picked(one).patients, held_out.picked(other).patients)
    yield from compared(space.name, real[one], real[other], whose, FLOOR)
    yield from copies(space.name, seen, space(taught.images), real)


def _grids(pictures: Pictures) -> NDArray[np.float64]:
    grids = [small_picture(image) for image in pictures.images]
    return np.asarray(grids, np.float64).reshape(len(grids), SIDE**2)


def _adherence(made: Pictures, taught: Pictures, held_out: Pictures) -> Iterator[Figure]:
    """How often others see what was asked for; beside it, how often they are right."""
    teaching = taught
    testing = held_out
    if len({row.view for row in taught.rows}) < 2 or len(taught.rows) < LEAST:
        # Halves: an estimator is not measured on what it was fitted on.
        teaching, testing = (held_out.picked(half) for half in halves(held_out.patients))
    yield from _sides(made, held_out)
    yield from _densities(made, held_out)
    if len({row.view for row in teaching.rows}) == 2:
        estimator = ViewEstimator(teaching.images, [_is_mlo(row) for row in teaching.rows])
        for data, pictures in ((GENERATED, made), (HELD_OUT, testing)):
            right = estimator(pictures.images) == [_is_mlo(row) for row in pictures.rows]
            yield figure_of(
                "view as asked", mean_of(np.asarray(right, float)), len(right), data
            )


def _is_mlo(row: ManifestRow) -> bool:
    return row.view is ViewPosition.MLO


def _sides(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    """The header has turned the chest wall to the left: if it is there, the side is right."""
    for data, pictures in ((GENERATED, made), (HELD_OUT, held_out)):
        found = [side_of(find_tissue(image)) is Laterality.LEFT for image in pictures.images]
        yield figure_of("side as asked", mean_of(np.asarray(found, float)), len(found), data)


def _densities(made: Pictures, held_out: Pictures) -> Iterator[Figure]:
    estimator = DensityEstimator.installed()
    if estimator is None:
        return
    for data, pictures in ((GENERATED, made), (HELD_OUT, held_out)):
        off = np.asarray(_grades_off(estimator, pictures), float)
        if off.size:
            yield figure_of(
                "density as asked", mean_of(np.asarray(off == 0, float)), off.size, data
            )
            within = mean_of(np.asarray(off <= 1, float))
            yield figure_of("density within one grade", within, off.size, data)


def _grades_off(estimator: DensityEstimator, pictures: Pictures) -> list[int]:
    grades = list(BreastDensity)
    found = []
    for image, row in zip(pictures.images, pictures.rows, strict=True):
        tissue = find_tissue(image)
        if row.density is not None and tissue.mask.any():
            said = int(estimator(image, tissue, ANATOMY.pixel_mm).argmax())
            found.append(abs(said - grades.index(row.density)))
    return found
