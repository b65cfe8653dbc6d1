"""Compile the translations, `resources/translations/*/LC_MESSAGES/mammoscope.po`, for gettext.

Set-up and packaging do this; what is compiled is not kept in the repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "translations"


def compile_all(folder: Path = FOLDER) -> list[Path]:
    """Write a `.mo` beside every `.po`; what is marked as doubtful (fuzzy) is left out."""
    made: list[Path] = []
    for path in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file)
        made.append(path.with_suffix(".mo"))
        with made[-1].open("wb") as file:
            write_mo(file, catalogue)
    return made


if __name__ == "__main__":
    for one in compile_all():
        sys.stdout.write(f"wrote {one.relative_to(FOLDER).as_posix()}\n")
