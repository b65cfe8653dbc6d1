"""A translation for one test."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from ml import texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest


def use_catalogue(
    monkeypatch: pytest.MonkeyPatch, folder: Path, language: str, words: Mapping[str, str]
) -> None:
    """Have the program speak another language until the test ends.

    Parameters
    ----------
    folder
        To write the catalogue into.
    words
        From a text to its translation; the rest stays as it is.
    """
    catalogue = Catalog(charset="utf-8")
    for text, translation in words.items():
        context, _, plain = text.rpartition("\x04")
        catalogue.add(plain, translation, context=context or None)
    path = folder / "translations" / language / "LC_MESSAGES" / f"{texts.DOMAIN}.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(texts, "RESOURCES", folder)
    # What was found is kept as long as the process lives: here it is found anew.
    monkeypatch.setattr(texts, "_catalogue", lru_cache(maxsize=1)(texts._catalogue.__wrapped__))
    monkeypatch.setenv("LANGUAGE", language)
