"""The manual's contents, and what is found in its pages."""

from __future__ import annotations

from ml.places import RESOURCES
from viewer.core.manual import INDEX, contents, read_sections, search, sections_of, slug
from viewer.core.search import fits, folded

DOCS = RESOURCES / "docs"
PAGE = "# Résumé\nA [link](settings.md) to `Größe`.\n\n## The *blind* read\nNothing is shown.\n"


def test_case_and_accents_make_no_difference() -> None:
    assert folded("GRÖSSE") == folded("größe") == "grosse"
    assert fits("resume GROSSE", "Résumé", "Größe")
    assert not fits("resume small", "Résumé", "Größe")
    assert fits("  ", "anything")


def test_the_contents_are_the_pages_of_the_index() -> None:
    entries = contents((DOCS / INDEX).read_text(encoding="utf-8"))
    pages = {path.name for path in DOCS.glob("*.md")} - {INDEX}
    assert {each.page for each in entries} == pages
    assert entries[0].title == "Start"
    assert entries[0].about


def test_sections_hold_words_and_no_signs() -> None:
    first, second = sections_of("a.md", PAGE)
    assert (first.title, first.heading, first.text) == ("Résumé", "Résumé", "A link to Größe.")
    assert (second.title, second.heading) == ("Résumé", "The blind read")


def test_what_stands_in_a_heading_comes_first() -> None:
    sections = (*sections_of("b.md", "# B\nA blind word.\n"), *sections_of("a.md", PAGE))
    hits = search(sections, "BLIND")
    assert [(hit.page, hit.heading) for hit in hits] == [
        ("a.md", "The blind read"),
        ("b.md", "B"),
    ]
    assert hits[1].excerpt == "A blind word."
    assert search(sections, " ") == search(sections, "xyzzy") == ()


def test_a_long_text_is_cut_about_the_word() -> None:
    text = "# A\n" + "before " * 60 + "needle " + "after " * 60
    (hit,) = search(sections_of("a.md", text), "needle")
    assert "needle" in hit.excerpt
    assert hit.excerpt.startswith("…")
    assert hit.excerpt.endswith("…")
    assert len(hit.excerpt) < 130


def test_headings_are_named_as_links_name_them() -> None:
    assert slug("A blind first read") == "a-blind-first-read"
    assert slug("`mammoscope train`, again") == "mammoscope-train-again"


def test_the_whole_manual_is_searched() -> None:
    found = {hit.page for hit in search(read_sections(DOCS), "blind first read")}
    assert {"start.md", "settings.md"} <= found
