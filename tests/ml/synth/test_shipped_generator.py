"""The generator that comes with the program: what it was taught shows in what it makes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.phantom.vendors import FILMS, VENDORS
from ml.places import GENERATOR, MODELS
from ml.synth.estimators import chest_left, find_tissue, side_of
from ml.synth.hosts import PhantomHosts
from ml.synth.lesions import paint_lesion
from ml.synth.pack import read_generator
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant
from ml.synth.teaching import vendor_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.synth.hosts import Host
    from ml.synth.pack import GeneratorPack
    from ml.synth.pipeline import Generator

FOLDER = MODELS / GENERATOR
MOST_BYTES = 24_000_000
MAKERS = {vendor_word(maker.name) for maker in VENDORS + FILMS}
PROMPT = Prompt(
    vendor_word(VENDORS[0].name),
    ViewPosition.MLO,
    Area.MEDIUM,
    BreastDensity.B,
    Laterality.LEFT,
)
SEEDS = (1, 2, 3, 4)
SAMPLING = Sampling()


@pytest.fixture(scope="module")
def pack() -> GeneratorPack:
    return read_generator(FOLDER)


@pytest.fixture(scope="module")
def generator(pack: GeneratorPack) -> Generator:
    return load_generator(pack)


@pytest.fixture(scope="module")
def host() -> Host:
    return PhantomHosts().host(PROMPT, 8_900_001)


def drawn(generator: Generator, prompt: Prompt) -> list[NDArray[np.float32]]:
    images = generator.draw([prompt] * len(SEEDS), SEEDS, SAMPLING)
    return [chest_left(one, prompt.laterality) for one in images]


def level(images: list[NDArray[np.float32]]) -> float:
    """Mean grey level of the breast's inner half: of more gland it is brighter."""
    found = []
    for image in images:
        values = image[find_tissue(image).mask]
        found.append(values[values > np.median(values)].mean())
    return float(np.mean(found))


def test_it_is_small_and_whole(pack: GeneratorPack) -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert pack.draws
    assert pack.paints
    assert set(pack.card.vendors) >= MAKERS


def test_its_card_says_on_what_it_was_taught_and_what_was_measured(pack: GeneratorPack) -> None:
    assert "simulated" in pack.card.data
    assert "mini-MIAS" in pack.card.data
    assert pack.card.training_patients
    assert pack.card.training_images
    assert pack.card.figures


def test_it_draws_the_breast_of_the_side_that_was_asked_for(generator: Generator) -> None:
    for side in (Laterality.LEFT, Laterality.RIGHT):
        asked = [replace(PROMPT, laterality=side)] * len(SEEDS)
        images = generator.draw(asked, SEEDS, SAMPLING)
        found = Counter(side_of(find_tissue(image)) for image in images)
        assert found[side] == len(SEEDS)


def test_more_area_is_a_larger_breast(generator: Generator) -> None:
    sizes = [
        np.mean([find_tissue(i).mask.mean() for i in drawn(generator, replace(PROMPT, area=a))])
        for a in (Area.SMALL, Area.BIG)
    ]
    assert sizes[0] < sizes[1]


def test_more_density_is_more_gland(generator: Generator) -> None:
    levels = [
        level(drawn(generator, replace(PROMPT, density=density, view=ViewPosition.CC)))
        for density in (BreastDensity.A, BreastDensity.D)
    ]
    assert levels[0] < levels[1]


def test_each_seed_is_another_breast(generator: Generator) -> None:
    one, other, *_ = drawn(generator, PROMPT)
    assert np.abs(one - other).mean() > 0.01


@pytest.mark.parametrize("kind", [None, *LesionKind])
def test_it_paints_within_the_mask_only(
    generator: Generator, host: Host, kind: LesionKind | None
) -> None:
    asked = replace(PROMPT, lesion=kind, quadrant=Quadrant.UPPER_OUTER if kind else None)
    done = paint_lesion(generator, host.pixels, host.mammogram, asked, 5, SAMPLING)
    changed = done.pixels != host.pixels
    assert changed.any()
    assert not changed[~done.mask].any()


@pytest.mark.slow
def test_a_mass_is_brighter_than_the_healthy_tissue_painted_there(
    generator: Generator, host: Host
) -> None:
    added = {}
    for kind in (None, LesionKind.MASS):
        asked = replace(PROMPT, lesion=kind, quadrant=Quadrant.UPPER_OUTER if kind else None)
        where = paint_lesion(
            generator, host.pixels, host.mammogram, replace(PROMPT, lesion=None), 5, SAMPLING
        ).box
        added[kind] = np.mean(
            [
                _change(
                    host,
                    paint_lesion(
                        generator,
                        host.pixels,
                        host.mammogram,
                        asked,
                        seed,
                        SAMPLING,
                        where=where,
                    ).pixels,
                )
                for seed in SEEDS
            ]
        )
    assert added[LesionKind.MASS] > added[None]


def _change(host: Host, pixels: NDArray[np.generic]) -> float:
    return float((pixels.astype(np.float64) - host.pixels.astype(np.float64)).sum())
