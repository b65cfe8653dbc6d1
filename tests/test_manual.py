"""The manual: every page is listed, every link leads somewhere, words are the window's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml.texts import translate
from viewer.core.settings import descriptions

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
