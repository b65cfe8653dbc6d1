from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml import texts
from ml.texts import RESEARCH_USE_ONLY, is_right_to_left, language, mark, translate
from tests.factories.catalogues import use_catalogue

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_catalogue_all_is_as_it_was_written() -> None:
    assert translate(RESEARCH_USE_ONLY) == RESEARCH_USE_ONLY
    assert (language(), is_right_to_left()) == ("en", False)
    assert translate("") == ""
    assert [texts.counted("1", "many", n) for n in (0, 1, 2)] == ["many", "1", "many"]


@pytest.mark.parametrize(
    ("name", "tag", "turned"),
    [
        ("de", "de", False),
        ("pt_BR", "pt-BR", False),
        ("sr@latin", "sr", False),
        ("ar", "ar", True),
        ("he_IL", "he-IL", True),
        ("pa_Arab", "pa-Arab", True),
    ],
)
def test_the_language_is_that_of_the_catalogue(
    name: str, tag: str, turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalogue(monkeypatch, tmp_path, name, {RESEARCH_USE_ONLY: "!"})
    assert translate(RESEARCH_USE_ONLY) == "!"
    assert translate("another") == "another"
    assert (language(), is_right_to_left()) == (tag, turned)


def test_a_measure_keeps_its_order_among_words_from_right_to_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert texts.left_to_right("13 x 12 mm") == "13 x 12 mm"
    use_catalogue(monkeypatch, tmp_path, "he", {"Open": "פתח"})
    assert texts.left_to_right("13 x 12 mm") == "\u206613 x 12 mm\u2069"


def test_a_name_within_a_sentence_is_small_but_for_german_nouns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert texts.within("Mass") == "mass"
    use_catalogue(monkeypatch, tmp_path, "de", {"Mass": "Herdbefund"})
    assert texts.within("Herdbefund") == "Herdbefund"


def test_a_word_with_two_meanings_is_told_apart_by_its_context(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place, rank = mark("Place", "in the breast"), mark("Place")
    assert translate(place) == translate(rank) == "Place"
    words = {"Place": "Platz", "in the breast\x04Place": "Lage"}
    use_catalogue(monkeypatch, tmp_path, "de", words)
    assert (translate(place), translate(rank)) == ("Lage", "Platz")
    assert translate(mark("Unknown", "of something")) == "Unknown"
