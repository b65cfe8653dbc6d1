"""Every text that a user may read goes through here, so that it can be translated.

`mark` names a text for the translators (Babel extracts it) and returns it unchanged;
`translate` looks it up when it is shown. Errors carry marked templates and their values.
"""

import gettext
import os
from functools import lru_cache
from pathlib import Path

from ml.places import RESOURCES

DOMAIN = "mammoscope"
# The language that the texts are written in.
_WRITTEN_IN = "en"
# GNU gettext, "MO file format": what stands between a context and its text.
_OF_CONTEXT = "\x04"
# CLDR, characterOrder: the languages that are written from right to left, and the scripts,
# where a language is written in several.
_RIGHT_TO_LEFT = frozenset(("ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"))
_RIGHT_TO_LEFT_SCRIPTS = frozenset(("arab", "hebr"))


@lru_cache(maxsize=1)
def _catalogue() -> tuple[str, gettext.NullTranslations]:
    """The language in use, as the folder of its catalogue is called, and the catalogue."""
    folder = RESOURCES / "translations"
    found = gettext.find(DOMAIN, folder)
    name = Path(found).parents[1].name if found else _WRITTEN_IN
    return name, gettext.translation(DOMAIN, folder, fallback=True)


def use_language(name: str) -> None:
    """Speak another language from now on, in this process and those that it starts.

    Parameters
    ----------
    name
        As the folder of its catalogue is called; where there is none, texts stay as they are.
    """
    os.environ["LANGUAGE"] = name
    _catalogue.cache_clear()


def translate(text: str) -> str:
    """Return `text` in the user's language, or unchanged where no catalogue has it."""
    found = _catalogue()[1].gettext(text) if text else ""
    return found if found != text else text.rpartition(_OF_CONTEXT)[2]


def counted(one: str, many: str, count: int) -> str:
    """Return the form of a text that the user's language takes for a count.

    Some have one form for all counts, others up to six (gettext, "Plural forms").

    Parameters
    ----------
    one, many
        The text in English, for one and for any other count.
    """
    return _catalogue()[1].ngettext(one, many, count)


def mark(text: str, context: str = "") -> str:
    """Return `text` for `translate`: a mark for the extractor on texts that are shown later.

    Parameters
    ----------
    context
        What it is about, where another language has several words for it.
    """
    return f"{context}{_OF_CONTEXT}{text}" if context else text


def within(text: str) -> str:
    """A translated name as it stands within a sentence: German nouns keep their capital."""
    return text if language().startswith("de") else text[:1].lower() + text[1:]


def left_to_right(text: str) -> str:
    """A measure or a name that keeps its order among words from right to left."""
    # LEFT-TO-RIGHT ISOLATE and POP DIRECTIONAL ISOLATE (Unicode, UAX 9).
    return f"\u2066{text}\u2069" if is_right_to_left() else text


def language() -> str:
    """The language that `translate` returns, as BCP 47 has it: ``"en"``, ``"pt-BR"``."""
    return _catalogue()[0].partition("@")[0].replace("_", "-")


def is_right_to_left() -> bool:
    """Whether the language that `translate` returns is written from right to left."""
    name, *further = language().lower().split("-")
    return name in _RIGHT_TO_LEFT or not _RIGHT_TO_LEFT_SCRIPTS.isdisjoint(further)


RESEARCH_USE_ONLY = mark("Research use only. Not a medical device.")
