from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from ml.cli import main as run_command
from ml.data.duplicates import (
    across_splits,
    fingerprints,
    near_duplicates,
    perceptual_hash,
    same_films,
    ssim,
)
from ml.manifest import Manifest, ManifestRow, Split, write_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
EDITIONS = [SHARED / name / "images" for name in ("mini_mias", "mini_mias_256_with_pectoral")]


def breast(seed: int, rows: int = 320, columns: int = 240) -> NDArray[np.uint16]:
    """A bright half ellipse with texture at several scales, in air."""
    rng = np.random.default_rng(seed)
    texture = np.zeros((rows, columns))
    for size in (4, 8, 16, 32, 64):
        noise = rng.standard_normal((rows // size + 1, columns // size + 1)).astype(np.float32)
        texture += size**0.7 * cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:rows, :columns]
    inside = ((y - rows / 2) / (rows * 0.45)) ** 2 + (x / (columns * 0.8)) ** 2 < 1
    return np.where(inside, 20000 + 700 * texture, 0).clip(0, 65535).astype(np.uint16)


def named(images: Sequence[NDArray[Any]], word: str) -> list[tuple[str, NDArray[Any]]]:
    return [(f"{word}{number}", image) for number, image in enumerate(images)]


def test_copies_are_found_at_another_size_depth_and_hand() -> None:
    films = [breast(seed) for seed in range(12)]
    other: list[NDArray[Any]] = [breast(seed) for seed in range(100, 112)]
    other[2] = cv2.resize(films[5], (120, 160), interpolation=cv2.INTER_AREA)
    other[4] = (films[7] // 257).astype(np.uint8)[:, ::-1]
    _, packed = cv2.imencode(".jpg", (films[1] // 257).astype(np.uint8))
    other[9] = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    pairs = near_duplicates(fingerprints(named(films, "a")), fingerprints(named(other, "b")))
    assert {(p.first, p.second, p.mirrored) for p in pairs} == {
        ("a5", "b2", False),
        ("a7", "b4", True),
        ("a1", "b9", False),
    }


def test_a_film_that_was_cut_and_changed_in_contrast_is_found() -> None:
    films = [breast(seed) for seed in range(8)]
    other: list[NDArray[Any]] = [breast(seed) for seed in range(100, 108)]
    cut = films[3][:, :180].astype(float) / 65535
    other[6] = (cut**1.6 * 40000).astype(np.uint16)[:, ::-1]
    assert not near_duplicates(fingerprints(named(films, "a")), fingerprints(named(other, "b")))
    pairs = same_films(named(films, "a"), named(other, "b"))
    assert [(p.first, p.second, p.mirrored) for p in pairs] == [("a3", "b6", True)]


def test_ssim_agrees_with_another_implementation() -> None:
    import torch
    from torchmetrics.image import StructuralSimilarityIndexMeasure

    one = (breast(3) // 257).astype(np.uint8)
    rng = np.random.default_rng(0)
    for strength in (0, 5, 20, 60):
        noise = rng.normal(0, strength, one.shape)
        other = (one + noise).clip(0, 255).astype(np.uint8)
        here, there = (torch.from_numpy(i.astype(np.float64))[None, None] for i in (one, other))
        measure = StructuralSimilarityIndexMeasure(data_range=255.0)
        # They leave out a margin of five pixels.
        assert ssim(one, other) == pytest.approx(float(measure(here, there)), abs=0.01)


def test_the_hash_holds_under_brightness_and_differs_between_women() -> None:
    one = perceptual_hash(breast(1))
    assert (one != perceptual_hash(breast(1) * 0.5 + 900)).sum() <= 2
    assert (one != perceptual_hash(breast(2))).sum() > 10
    assert one.shape == (64,)


def test_nothing_held_out_has_no_copies() -> None:
    nothing = fingerprints(())
    some = fingerprints([("a", np.eye(64, dtype=np.uint16))])
    assert near_duplicates(some, nothing) == near_duplicates(nothing, some) == []


def test_every_two_splits_are_compared() -> None:
    parts = {
        split: fingerprints(named([breast(10 * number), breast(99)], split.value))
        for number, split in enumerate(Split)
    }
    assert len(across_splits(parts)) == 3


def test_the_command_names_pairs_of_two_patients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for number, seed in enumerate((1, 2, 1, 1)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), breast(seed))
        rows.append(ManifestRow(f"{number}.png", "one" if number in {0, 3} else f"p{number}"))
    write_manifest(Manifest(tmp_path, tuple(rows)))
    assert run_command(["find-duplicates", "--manifest", str(tmp_path)]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {(one, two) for one, two, *_ in lines} == {("0.png", "2.png"), ("2.png", "3.png")}
    assert {how for *_, how in lines} == {"copy"}


@pytest.mark.data
@pytest.mark.skipif(not EDITIONS[1].exists(), reason="mini-MIAS is not on this machine")
def test_both_editions_of_mini_mias_are_the_same_films() -> None:
    names = sorted(path.name for path in EDITIONS[0].glob("*.png"))[:100]
    full, small = (
        [(n, np.asarray(cv2.imread(str(folder / n), cv2.IMREAD_GRAYSCALE))) for n in names]
        for folder in EDITIONS
    )
    pairs = same_films(full, small)
    right = {pair.first for pair in pairs if pair.first == pair.second}
    assert len(right) / len(names) > 0.88, "recall; 0.92 over all 274"
    assert len(right) / len(pairs) > 0.9, "precision; 0.95 over all 274"
    halves = [(name, cv2.resize(image, (256, 256))[:, ::-1]) for name, image in full]
    copies = near_duplicates(fingerprints(full), fingerprints(halves))
    assert all(pair.first == pair.second for pair in copies)
    assert len(copies) / len(names) > 0.9
