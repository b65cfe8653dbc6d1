"""What a data set lacks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Source, Split
from ml.synth.balance import CELLS, Cell, Lack, lacks, prompts_of, take_census
from ml.synth.prompts import Area, LesionKind, Quadrant, prompt_text

DENSE_MASS = Cell(ViewPosition.MLO, BreastDensity.D, FindingType.MASS, Laterality.LEFT)
# Where no split is said, she teaches; the other is held out.
TEACHES, HELD_OUT = "P2", "P1"
DENSE_HEALTHY = replace(DENSE_MASS, lesion=None)


def image(path: str, label: Label = Label.BENIGN, **known: object) -> ManifestRow:
    """A dense left MLO."""
    row = ManifestRow(
        path, TEACHES, Laterality.LEFT, ViewPosition.MLO, label, density=BreastDensity.D
    )
    return replace(row, **known)  # type: ignore[arg-type]


def census(
    *rows: ManifestRow, lesions: tuple[FindingType, ...] = (FindingType.MASS,)
) -> tuple[dict[Cell, int], int]:
    """The cells that are not empty, and how many images have none; a box of each type."""
    boxes = tuple(
        BoxRow(row.path, Box(0, 0, 9, 9), kind)
        for row in rows
        for kind in lesions
        if row.label is not Label.NORMAL
    )
    taken = take_census(Manifest(Path(), rows, boxes))
    return {cell: count for cell, count in taken.images.items() if count}, taken.unplaced


def test_images_are_counted_by_cell() -> None:
    rows = (image("a"), image("b"), image("c", Label.NORMAL))
    assert census(*rows) == ({DENSE_MASS: 2, DENSE_HEALTHY: 1}, 0)
    assert len(CELLS) == 2 * 4 * 3 * 2


def test_generated_and_held_out_images_do_not_count() -> None:
    rows = (
        image("a", source=Source.GENERATED),
        image("b", split=Split.TEST),
        image("c", split=Split.VALIDATION),
        image("d", source=Source.PHANTOM, split=Split.TRAIN),
        image("e", patient_id=HELD_OUT),
    )
    assert census(*rows) == ({DENSE_MASS: 1}, 0)


def test_what_no_cell_covers_is_told() -> None:
    rows = (
        image("a", density=None),
        image("b", view=ViewPosition.ML),
        image("c", laterality=None),
    )
    assert census(*rows) == ({}, 3)
    assert census(image("a"), lesions=()) == ({}, 1), "a lesion without a box"
    assert census(image("a"), lesions=(FindingType.ASYMMETRY,)) == ({}, 1)


def test_an_image_with_two_lesions_counts_twice() -> None:
    both = (FindingType.MASS, FindingType.CALCIFICATIONS)
    cluster = replace(DENSE_MASS, lesion=FindingType.CALCIFICATIONS)
    assert census(image("a"), lesions=both) == ({DENSE_MASS: 1, cluster: 1}, 0)


def test_the_emptiest_cell_is_filled_first() -> None:
    masses = [image(name) for name in "abc"]
    boxes = [BoxRow(row.path, Box(0, 0, 9, 9), FindingType.MASS) for row in masses]
    rows = (*masses, image("n", Label.NORMAL))
    taken = take_census(Manifest(Path(), rows, tuple(boxes)))
    plan = lacks(taken, 3)
    assert {lack.cell for lack in plan} == set(CELLS) - {DENSE_MASS}
    assert plan[-1] == Lack(DENSE_HEALTHY, 1, 2)
    assert all(lack.make == 3 for lack in plan[:-1])


def test_prompts_take_everything_in_turn() -> None:
    plan = [Lack(DENSE_MASS, 0, 48)]
    prompts = prompts_of(plan, ("alpha", "film"), seed=7)
    assert prompts == prompts_of(plan, ("alpha", "film"), seed=7)
    # Two makers, three areas, two kinds and four places: each of the 48 ways once.
    assert len({prompt_text(prompt) for prompt in prompts}) == 48
    assert {prompt.density for prompt in prompts} == {BreastDensity.D}
    first = prompts_of([Lack(DENSE_MASS, 0, 60)], ("alpha", "film"), seed=7)
    for name, words in (("area", Area), ("quadrant", Quadrant), ("vendor", ("alpha", "film"))):
        counts = Counter(getattr(prompt, name) for prompt in first)
        assert max(counts.values()) - min(counts.values()) <= 12, name
        assert set(counts) == set(words)
    assert {prompt.lesion for prompt in first} == {
        LesionKind.MASS,
        LesionKind.SPICULATED_MASS,
    }


def test_a_healthy_cell_gets_healthy_prompts() -> None:
    prompts = prompts_of([Lack(DENSE_HEALTHY, 0, 5)], ("alpha",), seed=1)
    assert len(prompts) == 5
    assert all(prompt.lesion is None and prompt.quadrant is None for prompt in prompts)
