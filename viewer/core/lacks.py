"""What a data set lacks, as the studio's table shows it, and the plan that fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.mammo.codes import BreastDensity, FindingType
from ml.synth.balance import LESIONS, SIDES, VIEWS, Cell, lacks
from ml.texts import mark, translate

if TYPE_CHECKING:
    from ml.mammo.codes import ViewPosition
    from ml.synth.balance import Census, Lack

WANTED = 20
DENSITIES: tuple[tuple[BreastDensity, str], ...] = (
    (BreastDensity.A, mark("v.low")),
    (BreastDensity.B, mark("low")),
    (BreastDensity.C, mark("high")),
    (BreastDensity.D, mark("v.high")),
)
NAMES: dict[FindingType | None, str] = {
    None: mark("normal"),
    FindingType.MASS: mark("mass"),
    FindingType.CALCIFICATIONS: mark("calc"),
}


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that was counted.

    Attributes
    ----------
    folder
        Of its manifest.
    """

    folder: str
    census: Census


@dataclass(frozen=True, slots=True)
class LackCell:
    """One place of the table: both breasts together.

    Attributes
    ----------
    has
        Images that are there.
    make
        Images that the plan makes.
    share
        Of what is wanted, how much is missing, 0 to 1: how warm the colour is.
    """

    has: int
    make: int
    share: float


@dataclass(frozen=True, slots=True)
class LackRow:
    """One line of the table: ``"mass CC"``."""

    title: str
    cells: tuple[LackCell, ...]


def plan_of(data: DataSet, wanted: int) -> tuple[Lack, ...]:
    """The kinds of image of which there are fewer than wanted."""
    return lacks(data.census, wanted)


def images_of(plan: tuple[Lack, ...]) -> int:
    """How many images a plan makes."""
    return sum(lack.make for lack in plan)


def has_lesions(plan: tuple[Lack, ...]) -> bool:
    """Whether a plan asks for lesions."""
    return any(lack.cell.lesion is not None for lack in plan)


def lack_rows(data: DataSet, wanted: int) -> tuple[LackRow, ...]:
    """The table: healthy breasts and lesions in both views, by density."""
    return tuple(
        LackRow(
            f"{translate(NAMES[lesion])} {view.value}",
            tuple(_cell(data.census, view, lesion, d, wanted) for d, _ in DENSITIES),
        )
        for lesion in LESIONS
        for view in VIEWS
    )


def _cell(
    census: Census,
    view: ViewPosition,
    lesion: FindingType | None,
    density: BreastDensity,
    wanted: int,
) -> LackCell:
    counts = [census.images[Cell(view, density, lesion, side)] for side in SIDES]
    make = sum(max(wanted - count, 0) for count in counts)
    return LackCell(sum(counts), make, make / (wanted * len(SIDES)) if wanted else 0.0)


def cell_sentence(row: LackRow, density: str, cell: LackCell) -> str:
    """One place of the table in words."""
    text = translate("{row}, density {density}: {has} there, {make} to make")
    return text.format(row=row.title, density=translate(density), has=cell.has, make=cell.make)
