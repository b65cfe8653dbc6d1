"""Write the licences of all that is bundled, where the About window looks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bundled import Part


class LicenceError(Exception):
    """A part is bundled without its licence."""


def write_licences(parts: list[Part], folder: Path) -> None:
    """Write one text for each part, named after it and its version.

    Raises
    ------
    LicenceError
        Where a part has no text of its licence.
    """
    bare = [f"{part.name} ({part.licence or 'unknown'})" for part in parts if not part.texts]
    if bare:
        raise LicenceError(
            f"No licence text was found of {', '.join(bare)}: add it to scripts/package/texts "
            "and name it in bundled.py, or leave the part out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in part.texts]
        head = f"Licence: {part.licence}\n" if part.licence else ""
        text = "\n".join([head, *dict.fromkeys(texts)]).strip() + "\n"
        (folder / f"{part.title}.txt").write_text(text, encoding="utf-8")


def copyright_text(parts: list[Part], date: str) -> str:
    """Write Debian's copyright file: ours, and where the others' stand."""
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        "Upstream-Name: Mammoscope",
        "Comment: Research use only. Not a medical device.",
        "",
        "Files: *",
        f"Copyright: {date[:4]} the Mammoscope authors",
        "License: AGPL-3.0-or-later",
        " The whole text is in /opt/mammoscope/_internal/LICENSE. What comes with the program",
        " has licences of its own; each whole text is in",
        " /opt/mammoscope/_internal/resources/licences:",
    ]
    lines += [
        f"  {part.name} {part.version}: {part.licence or 'see its text'}" for part in parts
    ]
    return "\n".join(lines) + "\n"
