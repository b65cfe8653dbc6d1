"""In which language the program speaks: as set, or as the system does."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AUTO = "auto"
# As the settings name them, each in itself, and as their catalogues are called.
LANGUAGES = {
    "English": "en",
    "Deutsch": "de",
    "Español": "es",
    "Français": "fr",
    "简体中文": "zh_CN",
}


def set_language(settings: Path) -> str:
    """The catalogue that a settings file asks for; empty where it asks for none.

    The settings themselves are read later, and tell of a broken file then.
    """
    try:
        said = tomllib.loads(settings.read_text(encoding="utf-8")).get("language")
    except (OSError, ValueError):
        return ""
    return LANGUAGES.get(str(said), "")


def spoken(wanted: Sequence[str]) -> str:
    """The first of some languages, as BCP 47 has them, that there is a catalogue for.

    Returns
    -------
    str
        As its catalogue is called; English where there is none.
    """
    for name in wanted:
        plain = name.replace("-", "_")
        for catalogue in LANGUAGES.values():
            if plain == catalogue or plain.partition("_")[0] == catalogue:
                return catalogue
        # Chinese is named by its script, too, and only the simplified one is here.
        if plain.startswith("zh") and "Hant" not in plain and plain not in _TRADITIONAL:
            return LANGUAGES["简体中文"]
    return LANGUAGES["English"]


_TRADITIONAL = frozenset(("zh_TW", "zh_HK", "zh_MO"))
