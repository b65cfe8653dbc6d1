"""What the generator is shown: words for what is seen, masks over what is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from ml.data.canvases import CanvasItem, CanvasSet
from ml.mammo.codes import BreastDensity, FindingType, Laterality
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.synth.prompts import Area, LesionKind, prompt_text
from ml.synth.teaching import (
    LEAST_SEEN,
    MOST_MASK_PX,
    SIDE_PX,
    area_cm2,
    area_word,
    as_hung,
    ellipse,
    healthy_prompt,
    lesion_kind,
    lesion_piece,
    sham_piece,
    vendor_word,
)

SIDE = 384
LESION = (150.0, 180.0, 210.0, 260.0)


def item(**changes: object) -> CanvasItem:
    values: dict[str, object] = {
        "patient_id": "P",
        "image_id": "P-LCC",
        "source": "phantom",
        "boxes": (LESION,),
        "finding_types": (FindingType.MASS,),
        "malignant": True,
        "density": 2,
        "detectability": (LEAST_SEEN + 1,),
        "lesion": True,
        "descriptors": ("spiculated",),
        "laterality": "L",
        "view": "CC",
        "vendor": "PHANTOM-FILM-A",
    }
    return CanvasItem(**{**values, **changes})  # type: ignore[arg-type]


def canvases(known: CanvasItem, *, filled: bool = True) -> CanvasSet:
    """One piece whose lesion is the brightest part."""
    pixels = np.full((1, SIDE, SIDE), 20_000 if filled else 0, np.uint16)
    for row0, col0, row1, col1 in known.boxes:
        pixels[0, int(row0) : int(row1), int(col0) : int(col1)] = 60_000
    spec = PrepareSpec(rows=SIDE, columns=SIDE, pixel_mm=0.1)
    return CanvasSet(pixels, (known,), spec, pieces=True)


def test_a_sentence_names_what_the_image_shows() -> None:
    prompt = healthy_prompt(item(), Area.SMALL)
    assert prompt_text(prompt) == (
        "a film-a mammogram in CC view with small area and high density, left breast"
    )


def test_films_have_their_density_from_their_table() -> None:
    film = item(density=None, vendor="mini-MIAS", image_id="mdb001")
    with pytest.raises(KeyError):
        healthy_prompt(film, Area.BIG)
    prompt = healthy_prompt(film, Area.BIG, {"mdb001": BreastDensity.A})
    assert (prompt.vendor, prompt.density) == ("mini-mias", BreastDensity.A)


@pytest.mark.parametrize(
    ("cm2", "word"), [(129.9, Area.SMALL), (130.0, Area.MEDIUM), (165.0, Area.BIG)]
)
def test_areas_are_thirds(cm2: float, word: Area) -> None:
    assert area_word(cm2) is word


def test_an_area_is_counted_in_square_centimetres() -> None:
    canvas = np.zeros((256, 256), np.uint16)
    canvas[:100, :50] = 1
    assert area_cm2(canvas, 0.8) == pytest.approx(8 * 4)


def test_the_right_breast_has_its_chest_wall_at_the_right() -> None:
    canvas = np.zeros((4, 6), np.uint16)
    canvas[:, 0] = 9
    assert as_hung(canvas, Laterality.LEFT)[0, 0] == 9
    assert as_hung(canvas, Laterality.RIGHT)[0, -1] == 9


def test_makers_are_words() -> None:
    assert vendor_word("PHANTOM-ALPHA") == "alpha"
    assert vendor_word("mini-MIAS") == "mini-mias"


@pytest.mark.parametrize(
    ("finding", "descriptor", "kind"),
    [
        (FindingType.MASS, "circumscribed", LesionKind.MASS),
        (FindingType.MASS, "spiculated", LesionKind.SPICULATED_MASS),
        (FindingType.CALCIFICATIONS, "punctate", LesionKind.CALCIFICATION_CLUSTER),
        (FindingType.ASYMMETRY, "", None),
    ],
)
def test_what_can_be_painted(
    finding: FindingType, descriptor: str, kind: LesionKind | None
) -> None:
    assert lesion_kind(finding, descriptor) is kind


def test_an_ellipse_is_as_large_as_its_box() -> None:
    mask = ellipse(Box(20, 30, 60, 130))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max() + 1) == (20, 60)
    assert (columns.min(), columns.max() + 1) == (30, 130)


@pytest.mark.parametrize("seed", range(20))
def test_the_mask_lies_over_the_lesion(seed: int) -> None:
    piece = lesion_piece(canvases(item()), 0, np.random.default_rng(seed))
    assert piece is not None
    assert piece.pixels.shape == piece.mask.shape == (SIDE_PX, SIDE_PX)
    assert piece.prompt.lesion is LesionKind.SPICULATED_MASS
    rows, columns = np.nonzero(piece.pixels > 0.5)
    masked = np.nonzero(piece.mask)
    assert masked[0].min() <= rows.min()
    assert rows.max() <= masked[0].max()
    assert masked[1].min() <= columns.min()
    assert columns.max() <= masked[1].max()


@pytest.mark.parametrize(
    "changes",
    [
        {"detectability": (LEAST_SEEN - 0.1,)},
        {"finding_types": (FindingType.ASYMMETRY,)},
        {"boxes": ((50.0, 50.0, 51.0 + MOST_MASK_PX, 100.0),)},
        {"boxes": (), "finding_types": (), "detectability": (), "descriptors": ()},
    ],
)
def test_what_nobody_sees_or_nothing_can_paint_is_not_taught(changes: dict) -> None:
    assert lesion_piece(canvases(item(**changes)), 0, np.random.default_rng(0)) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_sham_covers_healthy_tissue(seed: int) -> None:
    piece = sham_piece(canvases(item()), 0, np.random.default_rng(seed))
    assert piece is not None
    assert piece.prompt.lesion is None
    # A lesion's box, not its ellipse, was kept free: where both are, only corners touch.
    assert not (piece.pixels[piece.mask] > 0.5).any()


def test_where_there_is_no_tissue_there_is_no_sham() -> None:
    known = item(boxes=(), finding_types=(), detectability=(), descriptors=())
    assert sham_piece(canvases(known, filled=False), 0, np.random.default_rng(0)) is None
