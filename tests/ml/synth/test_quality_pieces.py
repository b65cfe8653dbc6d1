"""Painted lesions are compared in pieces about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import ml.synth.quality_pieces as quality_pieces
from ml.control import NOBODY
from ml.errors import DataError
from ml.mammo.codes import FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.manifest import BoxRow, Manifest, ManifestRow
from ml.synth.comparing import LEAST
from ml.synth.quality_pieces import Pieces, measure_pieces, piece_about, read_pieces
from tests.factories.breasts import make_breast, make_view

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# A lesion this bright stands out of `make_breast`.
BRIGHT = 4095
BOX = Box(280, 60, 320, 100)


class Brightness:
    name = "brightness"

    def __call__(self, images: list[NDArray[np.float32]]) -> NDArray[np.float64]:
        rows = [image.reshape(4, -1).mean(1) for image in images]
        return np.asarray(rows, np.float64).reshape(len(rows), 4)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality_pieces, "spaces", lambda: [Brightness()])


def some(level: float, seed: int) -> Pieces:
    rng = np.random.default_rng(seed)
    images = [
        np.clip(rng.normal(rng.uniform(level, level + 0.1), 0.02, (256, 256)), 0, 1)
        for _ in range(LEAST)
    ]
    patients = tuple(f"{seed}-{number // 2}" for number in range(LEAST))
    return Pieces([image.astype(np.float32) for image in images], patients)


def told(made: Pieces, held_out: Pieces) -> float:
    report = measure_pieces(made, held_out, NOBODY)
    names = {(figure.name, figure.data): figure.value for figure in report.figures}
    assert ("KID, lesions, brightness", "held-out, by halves") in names
    return names["told from real, lesions, brightness", "generated"]


def test_lesions_of_another_kind_are_told_apart_and_like_ones_are_not() -> None:
    assert told(some(0.7, 1), some(0.2, 2)) == 1
    assert told(some(0.4, 1), some(0.4, 2)) < 0.8


def test_too_few_lesions_say_nothing() -> None:
    with pytest.raises(DataError, match="only 0 are held-out lesions"):
        measure_pieces(some(0.4, 1), Pieces([], ()), NOBODY)


def test_a_piece_has_its_box_in_the_middle() -> None:
    canvas = np.zeros((600, 500), np.uint16)
    canvas[298:302, 248:252] = 65535
    piece = piece_about(canvas, Box(290, 240, 310, 260))
    assert piece.shape == (256, 256)
    assert piece[126:130, 126:130].min() == 1
    # At the edge it lies on the canvas; a canvas that is too small ends in black.
    assert piece_about(canvas, Box(0, 0, 4, 4)).shape == (256, 256)
    small = piece_about(np.full((100, 90), 65535, np.uint16), Box(10, 10, 20, 20))
    assert small[:100, :90].min() == 1
    assert small[100:].max() == small[:, 90:].max() == 0


def test_pieces_are_read_of_images_with_a_box_and_fine_pixels(tmp_path: Path) -> None:
    pixels = make_breast("left")
    pixels[int(BOX.row0) : int(BOX.row1), int(BOX.col0) : int(BOX.col1)] = BRIGHT
    fine, coarse, plain = (
        make_view(tmp_path, "LCC", number, pixels=pixels, ImagerPixelSpacing=[mm, mm])
        for number, mm in enumerate((0.1, 0.8, 0.1), 1)
    )
    rows = tuple(
        ManifestRow(path.name, f"woman-{path.stem}", Laterality.LEFT, ViewPosition.CC)
        for path in (fine, coarse, plain)
    )
    boxes = tuple(BoxRow(path.name, BOX, FindingType.MASS) for path in (fine, coarse))
    found = read_pieces(Manifest(tmp_path, rows, boxes), rows, NOBODY)
    assert found.patients == (f"woman-{fine.stem}",)
    (piece,) = found.images
    # Of 0.1 mm as the file is; the box is nearer to the wall than half a piece is long.
    assert piece[118:138, 65:95].min() > 0.95
    assert piece[118:138, 150:200].max() < 0.95
