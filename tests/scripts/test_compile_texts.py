"""The catalogues: whole as far as they go, and compiled as they are."""

from __future__ import annotations

import gettext
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import compile_texts  # noqa: E402 the path comes first
import extract_texts  # noqa: E402

from viewer.core.language import LANGUAGES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = [name for name in LANGUAGES.values() if name != "en"]
# Of all texts; those that changed since wait for their translators.
LEAST_TRANSLATED = 0.9


def fields(text: str) -> list[str]:
    """What a sentence's values are put into, and how they are written."""
    found = string.Formatter().parse(text)
    return sorted(f"{name}:{spec}!{turn}" for _, name, spec, turn in found if name is not None)


def forms(text: str | Sequence[str]) -> Sequence[str]:
    """For one and for many, where a text is counted."""
    return (text,) if isinstance(text, str) else text


@pytest.mark.parametrize("name", NAMES)
def test_translations_take_the_same_values(name: str) -> None:
    path = compile_texts.FOLDER / name / "LC_MESSAGES" / "mammoscope.po"
    with path.open("rb") as file:
        catalogue = read_po(file)
    told = [message for message in catalogue if message.id and message.string]
    wrong = [
        m.id for m in told for form in forms(m.string) if fields(forms(m.id)[0]) != fields(form)
    ]
    assert wrong == []
    with extract_texts.TEMPLATE.open("rb") as file:
        texts = {(m.id, m.context) for m in read_po(file) if m.id}
    translated = {(m.id, m.context) for m in told if not m.fuzzy}
    assert len(texts & translated) >= LEAST_TRANSLATED * len(texts)


def test_a_catalogue_is_compiled_without_what_is_doubtful(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid "Open"\nmsgstr "Öffnen"\n\n#, fuzzy\nmsgid "Close"\nmsgstr "Zu"\n'
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (folder / "mammoscope.po").write_text(header + text, encoding="utf-8")
    (made,) = compile_texts.compile_all(tmp_path)
    with made.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert (compiled.gettext("Open"), compiled.gettext("Close")) == ("Öffnen", "Close")


def test_a_counted_text_has_the_forms_that_its_language_has(tmp_path: Path) -> None:
    folder = tmp_path / "pl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    rule = (
        "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
    )
    (folder / "mammoscope.po").write_text(
        'msgid ""\nmsgstr "Language: pl\\nContent-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {rule}\\n"\n\n'
        'msgid "{n} file"\nmsgid_plural "{n} files"\n'
        'msgstr[0] "{n} plik"\nmsgstr[1] "{n} pliki"\nmsgstr[2] "{n} plików"\n',
        encoding="utf-8",
    )
    (made,) = compile_texts.compile_all(tmp_path)
    with made.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    found = [compiled.ngettext("{n} file", "{n} files", n) for n in (1, 2, 5, 22)]
    assert found == ["{n} plik", "{n} pliki", "{n} plików", "{n} pliki"]
