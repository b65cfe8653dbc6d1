from pathlib import Path

from viewer.core.commands import COMMANDS, shortcut_sections
from viewer.core.shortcuts import Section, shortcuts_page

ROOT = Path(__file__).resolve().parents[3]


def test_the_manual_has_every_shortcut_as_it_is_now():
    page = ROOT / "resources" / "docs" / "shortcuts.md"
    assert page.read_text(encoding="utf-8") == shortcuts_page(shortcut_sections()), (
        "run scripts/write_manual_pages.py"
    )


def test_every_command_stands_in_one_section():
    rows = [row for section in shortcut_sections() for row in section.rows]
    assert [title for title, _keys in rows].count("Reveal") == 1
    assert len(rows) == len(COMMANDS)


def test_each_key_of_a_command_is_told():
    page = shortcuts_page([Section("View", (("Zoom in", "+, ="), ("About", "")))])
    assert "| Zoom in | `+` `=` |" in page
    assert "| About |  |" in page
