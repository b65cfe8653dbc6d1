"""Simulated mammograms: the same seed the same bytes, and a truth that is true."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from ml.mammo.codes import FindingType, Laterality, PresentationIntent, ViewPosition
from ml.mammo.read import read_mammogram
from ml.manifest import read_manifest
from ml.phantom.anatomy import SKIN_MM, build_anatomy
from ml.phantom.dataset import mask_counts, write_phantoms
from ml.phantom.lesion_spec import (
    MALIGNANT_MARGINS,
    Distribution,
    LesionSpec,
    Margin,
    Morphology,
)
from ml.phantom.phantom import MOST_CUT, STANDARD_VIEWS, make_phantom
from ml.phantom.vendors import FILMS, VENDORS, Film
from ml.phantom.woman import GLANDULAR_FRACTION, draw_woman

if TYPE_CHECKING:
    from pathlib import Path

    from ml.phantom.phantom import Phantom

COARSE = 0.4
# Burgess 1999: the power spectrum of mammograms falls as 1 / f^beta, beta 1.5 to 3.5.
BETA = (1.5, 3.5)
MASS = LesionSpec(
    FindingType.MASS, 45.0, -0.3, -0.3, 9.0, 1.25, Margin.CIRCUMSCRIBED, malignant=False, seed=5
)


def with_mass(seed: int = 11) -> Phantom:
    woman = replace(draw_woman(seed), lesions=((Laterality.LEFT, MASS),))
    return make_phantom(woman, Laterality.LEFT, ViewPosition.CC, pixel_mm=COARSE)


def test_the_same_arguments_give_the_same_pixels() -> None:
    woman = draw_woman(3)
    side, view = STANDARD_VIEWS[3]
    one, other = (make_phantom(woman, side, view, pixel_mm=COARSE) for _ in "ab")
    assert np.array_equal(one.pixels, other.pixels)
    assert one.lesions == other.lesions
    another = make_phantom(draw_woman(4), side, view, pixel_mm=COARSE).pixels
    rows, columns = np.minimum(another.shape, one.pixels.shape)
    assert (another[:rows, :columns] != one.pixels[:rows, :columns]).mean() > 0.2


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    threads = cv2.getNumThreads()
    for count, name in enumerate("ab", start=1):
        # Threads split the work differently, which must not reach the last digit.
        cv2.setNumThreads(count)
        write_phantoms(tmp_path / name, 1, 5, pixel_mm=COARSE)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        digests.append([hashlib.sha256(p.read_bytes()).hexdigest() for p in files])
    cv2.setNumThreads(threads)
    assert len(digests[0]) == 7, "four views, two tables and the truth"
    assert digests[0] == digests[1]


def test_what_is_written_reads_as_what_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    manifest = write_phantoms(
        tmp_path, 2, 5, pixel_mm=COARSE, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(1, 2), (2, 2)]
    assert read_manifest(tmp_path) == manifest
    assert len({row.patient_id for row in manifest.rows}) == 2
    for row in manifest.rows:
        seen = read_mammogram(tmp_path / row.path)
        assert seen.synthetic
        assert seen.laterality is not None
        assert seen.view is not None
        assert (seen.laterality.value, seen.view.value) == (row.laterality, row.view)
        assert seen.alarms == ()


def test_priors_and_raw_images_are_written_beside(tmp_path: Path) -> None:
    manifest = write_phantoms(tmp_path, 1, 5, pixel_mm=COARSE, prior_years=1.5, raw=True)
    assert len(manifest.rows) == 8, "raw images show the same again and are in no table"
    files = sorted(tmp_path.rglob("*.dcm"))
    assert len(files) == 16
    seen = [read_mammogram(file) for file in files]
    assert len({one.study_instance_uid for one in seen}) == 2
    assert len({one.patient.patient_id for one in seen}) == 1
    assert len({one.sop_instance_uid for one in seen}) == 16
    assert {one.study_date for one in seen} == {"20260101", "20240702"}
    raw = [one for one in seen if one.intent is PresentationIntent.FOR_PROCESSING]
    assert {one.path.stem for one in raw} == {"LCC_raw", "LMLO_raw", "RCC_raw", "RMLO_raw"}
    for folder in (file.parent for file in files):
        assert json.loads((folder / "truth.json").read_text())["images"]


def test_a_mass_is_brighter_than_its_surroundings_and_lies_in_its_box() -> None:
    phantom = with_mass()
    (truth,) = phantom.lesions
    woman = replace(draw_woman(11), lesions=())
    healthy = make_phantom(woman, Laterality.LEFT, ViewPosition.CC, pixel_mm=COARSE)
    change = phantom.pixels.astype(float) - healthy.pixels
    box = truth.box
    rows = slice(int(box.row0), int(np.ceil(box.row1)))
    columns = slice(int(box.col0), int(np.ceil(box.col1)))
    inside = change[rows, columns]
    assert inside.mean() > 0
    outside = np.ones(change.shape, bool)
    outside[rows, columns] = False
    assert np.abs(inside).mean() > 5 * np.abs(change[outside]).mean()
    side_mm = (box.row1 - box.row0) * COARSE
    assert side_mm == pytest.approx(2 * truth.radius_mm, rel=0.4)


@pytest.mark.parametrize("finding_type", list(FindingType))
def test_a_mask_fills_its_box_and_the_change_lies_in_it(finding_type: FindingType) -> None:
    spec = replace(MASS, finding_type=finding_type)
    woman = replace(draw_woman(12), lesions=((Laterality.RIGHT, spec),))
    made = make_phantom(woman, Laterality.RIGHT, ViewPosition.CC, pixel_mm=0.2)
    (truth,) = made.lesions
    assert truth.mask.shape == truth.box.size
    assert truth.mask.any(0)[[0, -1]].all()
    assert truth.mask.any(1)[[0, -1]].all()
    assert truth.detectability > 0
    assert truth.malignant is spec.malignant


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_run_lengths_give_the_mask_again(mask: np.ndarray) -> None:
    counts = mask_counts(mask)
    assert sum(counts) == mask.size
    inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    assert np.array_equal(inside.reshape(mask.shape, order="F"), mask)


def test_a_prior_shows_the_same_breast_before_the_lesion_grew() -> None:
    spec = replace(MASS, malignant=True, margin=Margin.SPICULATED, doubling_years=0.5)
    woman = replace(draw_woman(11), lesions=((Laterality.LEFT, spec),))
    radii = [woman.earlier(years).lesions[0][1].radius_mm for years in (0.25, 0.5, 1.0)]
    assert radii == sorted(radii, reverse=True)
    # One doubling time ago it had half the volume.
    assert radii[1] == pytest.approx(9.0 * 0.5 ** (1 / 3))
    assert woman.earlier(9).lesions == ()
    now, before = (
        make_phantom(one, Laterality.LEFT, ViewPosition.CC, pixel_mm=COARSE)
        for one in (woman, woman.earlier(1.0))
    )
    assert before.lesions[0].detectability < now.lesions[0].detectability
    assert not np.array_equal(now.pixels, before.pixels)
    assert np.corrcoef(now.pixels.ravel(), before.pixels.ravel())[0, 1] > 0.98
    stays = replace(woman, lesions=((Laterality.LEFT, MASS),)).earlier(5)
    assert stays.lesions[0][1].radius_mm == MASS.radius_mm


def test_a_woman_is_the_same_at_every_pixel_size() -> None:
    woman = replace(draw_woman(11), lesions=())
    fine, coarse = (
        make_phantom(woman, Laterality.LEFT, ViewPosition.MLO, pixel_mm=size)
        for size in (0.1, 0.2)
    )
    shrunk = cv2.resize(fine.pixels, coarse.pixels.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), coarse.pixels.ravel())[0, 1] > 0.99


def test_a_scanned_film_has_eight_bits_and_what_a_hand_cut_away_is_no_lesion() -> None:
    cut = replace(FILMS[0], film=Film(0.42, 0.006, cut=1.0))
    hidden = replace(MASS, nipple_distance_mm=90.0, angle_mlo=-0.75, radius_mm=5.0)
    woman = replace(draw_woman(11), lesions=((Laterality.LEFT, hidden),))
    whole, film = (
        make_phantom(woman, Laterality.LEFT, ViewPosition.MLO, pixel_mm=COARSE, vendor=vendor)
        for vendor in (VENDORS[0], cut)
    )
    assert film.bits == 8
    assert film.pixels.max() < 256
    assert (film.pixels[:100, :20] == 0).mean() > 0.9, "the muscle is blackened"
    (truth,) = whole.lesions
    box = truth.box
    behind = film.pixels[int(box.row0) : int(box.row1), int(box.col0) : int(box.col1)]
    assert bool(film.lesions) is bool((behind == 0).mean() <= MOST_CUT)


def test_benign_look_alikes_are_named_and_never_boxed() -> None:
    kinds = set()
    for seed in range(14):
        woman = draw_woman(seed, lesion_rate=0)
        made = make_phantom(woman, Laterality.LEFT, ViewPosition.MLO, pixel_mm=COARSE)
        assert made.lesions == ()
        kinds.update(one.kind for one in made.benign)
    assert len(kinds) >= 3


def test_the_drawn_lesions_are_of_every_kind() -> None:
    drawn = [spec for seed in range(400) for _, spec in draw_woman(seed).lesions]
    assert {spec.finding_type for spec in drawn} == set(FindingType)
    masses = [spec for spec in drawn if spec.finding_type is FindingType.MASS]
    clusters = [spec for spec in drawn if spec.calcified]
    assert {spec.margin for spec in masses} == set(Margin)
    assert {spec.morphology for spec in clusters} == set(Morphology)
    assert {spec.distribution for spec in clusters} == set(Distribution)
    for spec in masses:
        assert spec.malignant is (spec.margin in MALIGNANT_MARGINS)


def test_both_views_have_the_lesion_at_its_nipple_distance() -> None:
    woman = replace(draw_woman(11), lesions=((Laterality.LEFT, MASS),))
    for view in (ViewPosition.CC, ViewPosition.MLO):
        rng = np.random.default_rng(
            (woman.seed, 3, STANDARD_VIEWS.index((Laterality.LEFT, view)))
        )
        anatomy = build_anatomy(woman, view, COARSE, rng)
        phantom = make_phantom(woman, Laterality.LEFT, view, pixel_mm=COARSE)
        row, column = phantom.lesions[0].box.center
        apart = np.hypot(row - anatomy.nipple[0], column - anatomy.nipple[1]) * COARSE
        assert apart == pytest.approx(MASS.nipple_distance_mm, abs=4)


def test_density_letters_follow_the_glandular_fraction() -> None:
    for seed in range(40):
        woman = draw_woman(seed)
        low, high = GLANDULAR_FRACTION[woman.density]
        assert low <= woman.glandular_fraction <= high
    fractions = [GLANDULAR_FRACTION[letter] for letter in GLANDULAR_FRACTION]
    assert fractions == sorted(fractions)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_image_holds_the_glandular_tissue_that_its_letter_says(seed: int) -> None:
    woman = draw_woman(seed)
    anatomy = build_anatomy(woman, ViewPosition.CC, COARSE, np.random.default_rng(seed))
    inside = anatomy.depth_mm > SKIN_MM
    held = float(anatomy.glandular[inside].mean())
    assert held == pytest.approx(woman.glandular_fraction, rel=0.1)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_texture_falls_by_the_power_law_of_mammograms(seed: int) -> None:
    phantom = make_phantom(draw_woman(seed), Laterality.LEFT, ViewPosition.CC, pixel_mm=0.2)
    rows, columns = phantom.pixels.shape
    side = 192
    row, column = rows // 2 - side // 2, columns // 8
    patch = phantom.pixels[row : row + side, column : column + side].astype(float)
    window = np.hanning(side)
    spectrum = np.abs(np.fft.fft2((patch - patch.mean()) * np.outer(window, window))) ** 2
    frequency = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(side, 0.2)]))
    # Below the noise, above the patch's own size: per mm.
    edges = np.geomspace(0.06, 0.7, 12)
    middle = np.sqrt(edges[1:] * edges[:-1])
    power = [spectrum[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(edges)]
    beta = -np.polyfit(np.log(middle), np.log(power), 1)[0]
    assert BETA[0] <= beta <= BETA[1]


def test_raw_values_and_vendors() -> None:
    woman = draw_woman(2)
    raw = make_phantom(
        woman,
        Laterality.RIGHT,
        ViewPosition.CC,
        pixel_mm=COARSE,
        intent=PresentationIntent.FOR_PROCESSING,
    )
    middle = raw.pixels.shape[0] // 2
    assert raw.pixels[middle, -20] < raw.pixels[5, 5], "less exposure behind tissue"
    polarity = set()
    for vendor in VENDORS:
        made = make_phantom(
            woman, Laterality.RIGHT, ViewPosition.CC, pixel_mm=COARSE, vendor=vendor
        )
        assert made.pixels.max() < 2**made.bits
        tissue, air = int(made.pixels[middle, -20]), int(made.pixels[5, 5])
        assert (tissue > air) is not vendor.inverted
        polarity.add(vendor.inverted)
    assert polarity == {True, False}, "one of the vendors writes MONOCHROME1"
