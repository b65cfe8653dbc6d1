"""Find words in texts, whatever their case and their accents."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """A text without case and accents: "Größe" and "GROSSE" are the same."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each)).casefold()


def fits(words: str, *texts: str) -> bool:
    """Whether each of the words stands somewhere in the texts; no words fit everything."""
    whole = folded("\n".join(texts))
    return all(word in whole for word in folded(words).split())
