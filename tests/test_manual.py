"""The manual: every page is listed, every link leads somewhere, words are the window's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml.texts import translate
from viewer.core.commands import command_keys
from viewer.core.settings import descriptions
from viewer.qt.screening.list_panel import READING
from viewer.qt.screening.order_choice import WORDS

DOCS = Path(__file__).resolve().parent.parent / "resources" / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LINK = re.compile(r"\]\(([^)#:]+)\)")
PICTURE_KB = 200


def linked(page: Path) -> set[str]:
    return set(LINK.findall(page.read_text(encoding="utf-8")))


def test_the_index_lists_every_page() -> None:
    pages = {page.name for page in PAGES} - {"index.md"}
    assert pages == linked(DOCS / "index.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [name for name in linked(page) if not (DOCS / name).exists()] == []


def test_the_studios_page_uses_the_windows_words() -> None:
    text = (DOCS / "studio.md").read_text(encoding="utf-8")
    for words in (
        "Never filed under a patient. Never used as test data.",
        *("Add to queue", "Balance my data set…", "Change generator…", "Save as DICOM…"),
        *(translate(d.title) for d in descriptions() if d.name == "interrupted_jobs"),
    ):
        assert words in text
    assert (DOCS / "studio.png").stat().st_size < PICTURE_KB * 1000


def test_the_page_on_the_readers_word_names_the_keys_as_they_are() -> None:
    text = (DOCS / "deciding.md").read_text(encoding="utf-8")
    keys = command_keys()
    for command in (
        *("accept", "reject", "retype", "tool_draw", "draw_here", "take_away", "undo", "redo"),
        *("outcome_right", "outcome_left"),
    ):
        assert f"`{keys[command]}`" in text
    assert (DOCS / "deciding.png").stat().st_size < PICTURE_KB * 1000


def test_the_page_on_screening_uses_the_windows_words_and_keys() -> None:
    text = " ".join((DOCS / "screening.md").read_text(encoding="utf-8").split())
    for words, keys in READING.values():
        assert f"*{translate(words)}* (`{keys}`)" in text
    for words in (
        *WORDS.values(),
        "Screen again",
        "Try failed images again",
        "Open the report",
    ):
        assert f"*{translate(words)}*" in text
    for command in ("screen", "next_study", "previous_study"):
        assert f"`{command_keys()[command]}`" in text
    assert (DOCS / "screening.png").stat().st_size < PICTURE_KB * 1000
