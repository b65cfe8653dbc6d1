"""The prompt grammar, both ways."""

from __future__ import annotations

from itertools import product

import pytest

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.synth.prompts import (
    Area,
    LesionKind,
    Prompt,
    Quadrant,
    prompt_text,
    read_prompt,
)

VENDORS = ("alpha", "film-a", "film")
LESIONS = (
    (None, None),
    *product(LesionKind, Quadrant),
)


def test_every_sentence_of_the_grammar_reads_back() -> None:
    texts = set()
    for vendor, view, area, density, side, lesion in product(
        VENDORS,
        (ViewPosition.CC, ViewPosition.MLO),
        Area,
        BreastDensity,
        (Laterality.LEFT, Laterality.RIGHT),
        LESIONS,
    ):
        prompt = Prompt(vendor, view, area, density, side, *lesion)
        text = prompt_text(prompt)
        assert read_prompt(text, VENDORS) == prompt
        texts.add(text)
    assert len(texts) == 3 * 2 * 3 * 4 * 2 * 13


def test_the_words_are_mam_es() -> None:
    prompt = Prompt(
        "alpha",
        ViewPosition.MLO,
        Area.SMALL,
        BreastDensity.D,
        Laterality.LEFT,
        LesionKind.SPICULATED_MASS,
        Quadrant.UPPER_OUTER,
    )
    assert prompt_text(prompt) == (
        "a alpha mammogram in MLO view with small area and very high density, left breast, "
        "with a spiculated mass in the upper outer quadrant"
    )


def test_spaces_and_case_do_not_matter() -> None:
    text = "A Alpha mammogram  in cc view with big\narea and Low density, right breast "
    assert read_prompt(text, VENDORS) == Prompt(
        "alpha", ViewPosition.CC, Area.BIG, BreastDensity.B, Laterality.RIGHT
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"after “”: write “a”"),
        ("a siemens mammogram", r"after “a”: write “film-a”, “alpha”, “film” there"),
        (
            "a alpha mammogram in ML view",
            r"after “a alpha mammogram in”: write “MLO”, “CC” there",
        ),
        (
            "a film mammogram in CC view with big area and some density",
            r"after “.* area and”: write “very high”, “very low”, “high”, “low” there",
        ),
        (
            "a film mammogram in CC view with big area and low density, left breast please",
            r"after “.* left breast”: write “with a” there",
        ),
        (
            "a film mammogram in CC view with big area and low density, left breast, "
            "with a mass in the upper outer quadrant twice",
            r"should end before “twice”",
        ),
    ],
)
def test_what_cannot_be_read_is_said_where(text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_prompt(text, VENDORS)


def test_a_lesion_without_a_place_is_no_prompt() -> None:
    with pytest.raises(ValueError, match="place"):
        Prompt(
            "alpha",
            ViewPosition.CC,
            Area.BIG,
            BreastDensity.A,
            Laterality.LEFT,
            LesionKind.MASS,
        )
