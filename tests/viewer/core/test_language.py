"""Which language the program speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from viewer.core.language import LANGUAGES, set_language, spoken

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("name", "catalogue"), LANGUAGES.items())
def test_a_setting_names_a_catalogue(tmp_path: Path, name: str, catalogue: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'language = "{name}"\n', encoding="utf-8")
    assert set_language(settings) == catalogue


@pytest.mark.parametrize("text", ['language = "auto"', "language = 3", "", "no [toml", "\xff"])
def test_anything_else_asks_for_none(tmp_path: Path, text: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_bytes(text.encode("latin-1"))
    assert set_language(settings) == ""
    assert set_language(tmp_path / "nowhere.toml") == ""


@pytest.mark.parametrize(
    ("wanted", "catalogue"),
    [
        (("de-AT", "en"), "de"),
        (("pt-BR", "fr-CA"), "fr"),
        (("zh-Hans-CN",), "zh_CN"),
        (("zh-SG",), "zh_CN"),
        (("zh-Hant-TW", "es"), "es"),
        (("zh-TW",), "en"),
        (("ja",), "en"),
        ((), "en"),
    ],
)
def test_the_first_language_that_is_there_is_spoken(
    wanted: tuple[str, ...], catalogue: str
) -> None:
    assert spoken(wanted) == catalogue
