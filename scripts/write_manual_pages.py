"""Write the pages of the manual that are made from tables: settings and shortcuts."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from viewer.core.commands import shortcut_sections  # noqa: E402 the path comes first
from viewer.core.settings import settings_page  # noqa: E402
from viewer.core.shortcuts import shortcuts_page  # noqa: E402

DOCS = ROOT / "resources" / "docs"


def main() -> None:
    """Write every generated page into `resources/docs`."""
    pages = {
        "settings.md": settings_page(),
        "shortcuts.md": shortcuts_page(shortcut_sections()),
    }
    for name, text in pages.items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"wrote resources/docs/{name}")


if __name__ == "__main__":
    main()
