"""Collect the texts that a user may read into `resources/translations/mammoscope.pot`.

Texts are found by `translate("…")` and `mark("…")`. To add a language, copy the template to
`resources/translations/<language>/LC_MESSAGES/mammoscope.po`, translate it, and compile it with
`pybabel compile -D mammoscope -d resources/translations`.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "resources" / "translations" / "mammoscope.pot"
KEYWORDS: dict[str, None] = {"translate": None, "mark": None}


def template_text() -> str:
    """The template as it must be now: every text in order, with the files that use it.

    Line numbers and dates are left out, so that it changes only when a text does.
    """
    catalog = Catalog(project="Mammoscope", charset="utf-8", fuzzy=False)
    found: dict[str, set[str]] = {}
    for half in ("ml", "viewer"):
        for filename, _line, message, _comments, _context in extract_from_dir(
            ROOT / half, method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            texts = message if isinstance(message, tuple) else (message,)
            for text in texts:
                found.setdefault(text, set()).add(f"{half}/{Path(filename).as_posix()}")
    for text in sorted(found):
        catalog.add(text, locations=[(name, 0) for name in sorted(found[text])])
    buffer = io.BytesIO()
    write_po(buffer, catalog, omit_header=True, include_lineno=False, width=96)
    return _HEADER + buffer.getvalue().decode("utf-8")


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
