"""What is refused and why, on phantoms made wrong in one way each."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.data.sources.phantoms import as_mammogram
from ml.errors import ModelError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.mammo.prepare import prepare
from ml.phantom.phantom import make_phantom
from ml.phantom.woman import draw_woman
from ml.synth import filters
from ml.synth.estimators import DensityEstimator, enlarged, find_tissue, side_of
from ml.synth.filters import Judge, is_seen
from ml.synth.hosts import vendor_of, woman_for
from ml.synth.known import KNOWN, known_of, read_known, write_known
from ml.synth.lesions import Painted
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant
from ml.synth.teaching import ANATOMY, area_cm2, area_word

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PROMPT = Prompt("alpha", ViewPosition.CC, Area.MEDIUM, BreastDensity.B, Laterality.LEFT)


@lru_cache
def breast(seed: int = 5) -> NDArray[np.float32]:
    """A whole breast of 0.8 mm, chest wall at the left."""
    woman = woman_for(PROMPT, vendor_of("alpha", 0), seed)
    made = make_phantom(woman, Laterality.LEFT, ViewPosition.CC, pixel_mm=0.4)
    canvas = prepare(made.pixels, as_mammogram(made), ANATOMY)
    return np.asarray(canvas.pixels, np.float32) / np.float32(65535)


class Says:
    """A classifier that is sure of one grade."""

    def __init__(self, grade: int) -> None:
        self._density = np.eye(4, dtype=np.float32)[[grade]]

    def __call__(self, canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        assert canvas.shape == (1, 1, 1024, 640)
        return [np.zeros((1, 2)), np.zeros((1, 2, 16, 10)), self._density]  # type: ignore[list-item]


def two_parts(image: NDArray[np.float32]) -> NDArray[np.float32]:
    parted = image.copy()
    middle = len(image) // 2
    parted[middle - 8 : middle + 8] = 0
    return parted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda image: image, ""),
        (lambda image: np.full_like(image, 0.5), filters.BLANK),
        (lambda image: image * (np.arange(256) < 8), filters.NO_BREAST),
        (two_parts, filters.SEVERAL),
        (lambda image: image[:, ::-1], filters.WRONG_SIDE),
        (lambda image: np.clip(image * 9, 0, 1), filters.SATURATED),
    ],
)
def test_each_fault_has_its_reason(change, reason: str) -> None:
    image = np.ascontiguousarray(change(breast()), np.float32)
    assert Judge().drawn(image, 0.8, PROMPT) == reason


def test_a_right_breast_hangs_the_other_way() -> None:
    right = replace(PROMPT, laterality=Laterality.RIGHT)
    assert Judge().drawn(np.ascontiguousarray(breast()[:, ::-1]), 0.8, right) == ""


@pytest.mark.parametrize(("grade", "reason"), [(0, ""), (1, ""), (2, ""), (3, "far")])
def test_a_density_far_from_what_was_asked_is_refused(grade: int, reason: str) -> None:
    said = Judge(DensityEstimator(Says(grade))).drawn(breast(), 0.8, PROMPT)
    assert (reason in said) if reason else not said


def test_a_copy_of_what_was_taught_is_found(tmp_path: Path) -> None:
    known = known_of([breast(seed) for seed in range(5, 11)])
    write_known(tmp_path, known)
    judge = Judge(known=read_known(tmp_path))
    noisy = breast() + np.random.default_rng(1).normal(0, 0.01, (256, 256)).astype(np.float32)
    assert judge.drawn(np.clip(noisy, 0, 1), 0.8, PROMPT) == filters.COPY
    assert judge.drawn(breast(20), 0.8, PROMPT) == ""
    assert read_known(tmp_path / "nothing") is None
    # Earlier packs have a picture in each row.
    grey = cv2.imread(str(tmp_path / KNOWN), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(tmp_path / KNOWN), grey.reshape(6, -1))
    again = read_known(tmp_path)
    assert again is not None
    assert np.array_equal(again.pictures, known.pictures)
    (tmp_path / KNOWN).write_bytes(b"no picture")
    with pytest.raises(ModelError, match="copy the model again"):
        read_known(tmp_path)


def painted(host: NDArray[np.uint16], level: int, *, specks: bool = False) -> Painted:
    mask = np.zeros(host.shape, np.bool_)
    mask[100:200, 100:200] = True
    pixels = host.astype(int)
    if specks:
        pixels[110:190:16, 110:190:16] += level
        pixels[111:190:16, 110:190:16] += level
    else:
        pixels += level * mask
    return Painted(np.clip(pixels, 0, 4095).astype(np.uint16), mask, Box(100, 100, 200, 200))


def test_a_lesion_that_cannot_be_seen_is_refused() -> None:
    host = np.random.default_rng(1).normal(2000, 50, (300, 300)).astype(np.uint16)
    mass, cluster = LesionKind.MASS, LesionKind.CALCIFICATION_CLUSTER
    assert is_seen(host, painted(host, 200), 0.1, mass)
    assert not is_seen(host, painted(host, 0), 0.1, mass)
    # Where low is bright, a rise is a dark spot.
    assert not is_seen(host, painted(host, 200), 0.1, mass, -1.0)
    assert is_seen(host, painted(host, 900, specks=True), 0.1, cluster)
    assert not is_seen(host, painted(host, 20, specks=True), 0.1, cluster)
    made = make_phantom(draw_woman(1, lesion_rate=0.0), Laterality.LEFT, ViewPosition.CC)
    asked = replace(PROMPT, lesion=mass, quadrant=Quadrant.UPPER_INNER)
    image = as_mammogram(made)
    same = replace(painted(made.pixels, 0), pixels=made.pixels)
    assert Judge().painted(made.pixels, same, image, asked) == filters.NOTHING_SEEN
    # A sham shall show nothing.
    assert Judge().painted(made.pixels, same, image, PROMPT) == ""


def test_tissue_is_found_and_shown_at_the_classifiers_size() -> None:
    tissue = find_tissue(breast())
    assert tissue.patches == 1
    assert side_of(tissue) is Laterality.LEFT
    canvas = enlarged(breast(), tissue, 0.8)
    assert canvas.shape == (1024, 640)
    # Four times as large, each way.
    assert (canvas > 0).sum() == pytest.approx(16 * (breast()[tissue.mask] > 0).sum(), rel=0.1)


@pytest.mark.parametrize("area", Area)
@pytest.mark.parametrize("density", [BreastDensity.A, BreastDensity.C])
def test_a_host_is_drawn_to_match(area: Area, density: BreastDensity) -> None:
    asked = replace(PROMPT, area=area, density=density)
    vendor = vendor_of("film-a", 0)
    woman = woman_for(asked, vendor, 11)
    assert woman.density is density
    assert woman.lesions == ()
    made = make_phantom(woman, Laterality.LEFT, ViewPosition.CC, pixel_mm=0.4, vendor=vendor)
    canvas = prepare(made.pixels, as_mammogram(made), ANATOMY)
    assert area_word(area_cm2(canvas.pixels, 0.8)) is area
