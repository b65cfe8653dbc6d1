"""Collect the texts that a user may read into `resources/translations/mammoscope.pot`.

Texts are found by `translate("…")` and `mark("…")`, which may name a context besides, and by
`counted("…", "…", count)`: for one and for many.

To add a language, copy the template to
`resources/translations/<language>/LC_MESSAGES/mammoscope.po`, translate it, name it in
`viewer/core/language.py`, and compile it with `compile_texts.py`. To bring one up to date, take
the new texts over from the template (`pybabel update` does it).
"""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "resources" / "translations" / "mammoscope.pot"
KEYWORDS = ("translate", "mark")
COUNTED = "counted"
# A text, or one for one and one for many; and the context of it.
Text = tuple[str | tuple[str, str], str]


def template_text() -> str:
    """The template as it must be now: every text in order.

    Places and dates are left out, so that it changes only when a text does.
    """
    catalog = Catalog(project="Mammoscope", charset="utf-8", fuzzy=False)
    found = {
        text
        for half in ("ml", "viewer")
        for path in (ROOT / half).rglob("*.py")
        for text in texts_of(path.read_text(encoding="utf-8"))
    }
    for text, context in sorted(found, key=_as_sorted):
        catalog.add(text, context=context or None)
    buffer = io.BytesIO()
    write_po(buffer, catalog, omit_header=True, width=96)
    return _HEADER + buffer.getvalue().decode("utf-8")


def _as_sorted(text: Text) -> tuple[str, str]:
    named, context = text
    return named if isinstance(named, str) else named[0], context


def texts_of(source: str) -> Iterator[Text]:
    """Every text that is marked in a module, and its context.

    Also within an f-string, where Babel sees none.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "")
        if name not in (*KEYWORDS, COUNTED):
            continue
        given = [each.value for each in node.args if isinstance(each, ast.Constant)]
        match [each for each in given if isinstance(each, str)]:
            case [one, many] if name == COUNTED:
                yield (one, many), ""
            case [text] if text:
                yield text, ""
            case [text, context] if text:
                yield text, context


_HEADER = """# Texts of Mammoscope. Made by scripts/extract_texts.py.
msgid ""
msgstr ""
"Project-Id-Version: Mammoscope\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def main() -> None:
    """Write the template."""
    TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    TEMPLATE.write_text(template_text(), encoding="utf-8")
    print(f"wrote {TEMPLATE.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    main()
