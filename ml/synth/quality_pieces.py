"""How good painted lesions are: pieces about them beside pieces about others' lesions.

A piece is 256 x 256 pixels of 0.1 mm with a lesion's box in its middle, so that the painted
place and the host around it are seen together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import FINE, prepare, resolves
from ml.mammo.read import read_mammogram
from ml.synth.comparing import (
    FLOOR,
    GENERATED,
    HELD_OUT,
    QualityReport,
    compared,
    halves,
    refuse_few,
)
from ml.synth.features import spaces
from ml.synth.teaching import SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.control import Control
    from ml.mammo.geometry import Box
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import Figure

MOST = 300


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Pieces and whose they are.

    Attributes
    ----------
    images : sequence of (256, 256) float32
        In 0..1, of 0.1 mm.
    patients
        One each.
    """

    images: Sequence[NDArray[np.float32]]
    patients: tuple[str, ...]


def piece_about(canvas: NDArray[np.uint16], box: Box) -> NDArray[np.float32]:
    """The piece with a box in its middle, as far as the canvas reaches.

    Parameters
    ----------
    canvas : (rows, columns) uint16
        Of `FINE`; black is added where it is smaller than a piece.
    """
    corner = [
        int(np.clip(round(middle - SIDE_PX / 2), 0, max(size - SIDE_PX, 0)))
        for middle, size in zip(box.center, canvas.shape, strict=True)
    ]
    cut = canvas[corner[0] : corner[0] + SIDE_PX, corner[1] : corner[1] + SIDE_PX]
    piece = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    piece[: cut.shape[0], : cut.shape[1]] = cut / np.float32(65535)
    return piece


def read_pieces(
    manifest: Manifest, rows: Sequence[ManifestRow], control: Control, seed: int = 0
) -> Pieces:
    """A piece about the first box of each image that has one and resolves 0.1 mm.

    At most `MOST` of them, by lot.
    """
    boxed = [(row, boxes[0]) for row in rows if (boxes := manifest.boxes_of(row.path))]
    images, patients = [], []
    for index in np.random.default_rng(seed).permutation(len(boxed))[:MOST]:
        control.breathe()
        row, first = boxed[index]
        mammogram = read_mammogram(manifest.file_of(row))
        if not resolves(mammogram, FINE):
            continue
        whole = prepare(read_pixels(mammogram), mammogram, FINE)
        images.append(piece_about(whole.pixels, whole.to_stored.inverse().box(first.box)))
        patients.append(row.patient_id)
    return Pieces(images, tuple(patients))


def measure_pieces(made: Pieces, held_out: Pieces, control: Control) -> QualityReport:
    """Painted lesions beside others.

    Parameters
    ----------
    held_out
        Of images that the generator was not taught on.

    Raises
    ------
    TooFewError
        Where there are too few to say anything.
    """
    names = (f"{GENERATED} lesions", f"{HELD_OUT} lesions")
    counts = {names[0]: len(made.images), names[1]: len(held_out.images)}
    for name, count in counts.items():
        refuse_few(name, count)
    figures: list[Figure] = []
    one, other = halves(held_out.patients)
    apart = tuple([held_out.patients[i] for i in half] for half in (one, other))
    for space in spaces():
        control.breathe()
        name, real = f"lesions, {space.name}", space(held_out.images)
        whose = (held_out.patients, made.patients)
        figures += compared(name, real, space(made.images), whose, GENERATED)
        figures += compared(name, real[one], real[other], (apart[0], apart[1]), FLOOR)
    return QualityReport(counts, tuple(figures))
