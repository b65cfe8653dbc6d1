"""Every text that a user may read goes through here, so that it can be translated.

`mark` names a text for the translators (Babel extracts it) and returns it unchanged;
`translate` looks it up when it is shown. Errors carry marked templates and their values.
"""

import gettext
from functools import lru_cache

from ml.places import RESOURCES

DOMAIN = "mammoscope"


@lru_cache(maxsize=1)
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, RESOURCES / "translations", fallback=True)


def translate(text: str) -> str:
    """Return `text` in the user's language, or unchanged where no catalogue has it."""
    return _catalogue().gettext(text) if text else ""


def mark(text: str) -> str:
    """Return `text` unchanged: a mark for the extractor on texts that are shown later."""
    return text
