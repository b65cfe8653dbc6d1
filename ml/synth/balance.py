"""What a data set lacks, and the prompts that fill it.

A cell is one view, density, lesion and side. Real and simulated images count, generated ones
never: else a second plan would believe that the first one's images were patients.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.manifest import Label, Source
from ml.splits import HELD_OUT, split_of
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml.manifest import Manifest, ManifestRow

VIEWS = (ViewPosition.CC, ViewPosition.MLO)
SIDES = (Laterality.LEFT, Laterality.RIGHT)
# None is a healthy breast. Distortions and asymmetries cannot be generated.
LESIONS = (None, FindingType.MASS, FindingType.CALCIFICATIONS)
KINDS: Mapping[FindingType | None, tuple[LesionKind | None, ...]] = {
    None: (None,),
    FindingType.MASS: (LesionKind.MASS, LesionKind.SPICULATED_MASS),
    FindingType.CALCIFICATIONS: (LesionKind.CALCIFICATION_CLUSTER,),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of image."""

    view: ViewPosition
    density: BreastDensity
    lesion: FindingType | None
    laterality: Laterality


CELLS = tuple(Cell(*values) for values in product(VIEWS, BreastDensity, LESIONS, SIDES))


def any_prompt(
    vendors: Sequence[str], kind: LesionKind | None, rng: np.random.Generator
) -> Prompt:
    """A prompt of that kind, everything else by lot: each value as likely as the others."""
    areas, densities, places = tuple(Area), tuple(BreastDensity), tuple(Quadrant)
    return Prompt(
        vendors[int(rng.integers(len(vendors)))],
        VIEWS[rng.integers(len(VIEWS))],
        areas[rng.integers(len(areas))],
        densities[rng.integers(len(densities))],
        SIDES[rng.integers(len(SIDES))],
        kind,
        places[rng.integers(len(places))] if kind else None,
    )


@dataclass(frozen=True, slots=True)
class Census:
    """How many images of each kind a data set has.

    Attributes
    ----------
    images
        Of every cell, 0 too. An image with two types of lesion counts in both.
    unplaced
        Images of which view, density, side or lesion are not known, or that no cell covers.
    """

    images: Mapping[Cell, int]
    unplaced: int


@dataclass(frozen=True, slots=True)
class Lack:
    """A cell with fewer images than asked for."""

    cell: Cell
    has: int
    make: int


def take_census(manifest: Manifest) -> Census:
    """Count what may teach: real and simulated images that are not held out."""
    found: dict[str, set[FindingType | None]] = {}
    for box in manifest.boxes:
        found.setdefault(box.path, set()).add(box.finding_type)
    counted, unplaced = Counter[Cell](), 0
    for row in manifest.rows:
        if row.source is Source.GENERATED or split_of(row) in HELD_OUT:
            continue
        cells = _cells_of(row, found.get(row.path, set()))
        counted.update(cells)
        unplaced += not cells
    return Census({cell: counted[cell] for cell in CELLS}, unplaced)


def lacks(census: Census, wanted: int) -> tuple[Lack, ...]:
    """The cells with fewer than `wanted` images, the emptiest first."""
    short = (
        Lack(cell, has, wanted - has) for cell, has in census.images.items() if has < wanted
    )
    return tuple(sorted(short, key=lambda lack: lack.has))


def prompts_of(plan: Iterable[Lack], vendors: Sequence[str], seed: int) -> list[Prompt]:
    """The images of a plan: makers, areas, kinds and places in turn, so that none is favoured.

    Parameters
    ----------
    vendors
        The words that the pack has learned.
    seed
        Of the order in which combinations are taken; the same seed gives the same prompts.
    """
    rng = np.random.default_rng(seed)
    return [prompt for lack in plan for prompt in _of_cell(lack, vendors, rng)]


def _of_cell(lack: Lack, vendors: Sequence[str], rng: np.random.Generator) -> list[Prompt]:
    cell = lack.cell
    places = (None,) if cell.lesion is None else tuple(Quadrant)
    ways = list(product(vendors, Area, KINDS[cell.lesion], places))
    order: list[int] = []
    while len(order) < lack.make:
        order += rng.permutation(len(ways)).tolist()
    return [
        Prompt(vendor, cell.view, area, cell.density, cell.laterality, kind, place)
        for vendor, area, kind, place in (ways[i] for i in order[: lack.make])
    ]


def _cells_of(row: ManifestRow, found: set[FindingType | None]) -> list[Cell]:
    if row.view not in VIEWS or row.laterality not in SIDES or row.density is None:
        return []
    # A lesion without a box may be of any type: it is in no cell.
    lesions = {None} if row.label is Label.NORMAL else found - {None}
    return [
        Cell(row.view, row.density, kind, row.laterality) for kind in LESIONS if kind in lesions
    ]
