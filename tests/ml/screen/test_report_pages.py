from __future__ import annotations

import csv
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from ml import texts
from ml.findings import ModelUse
from ml.screen import sheets
from ml.screen.page import About
from ml.screen.ranking import Group, Placed, StudyRank, Summary
from ml.screen.report import REPORT_HTML, RESULTS_JSON, WORKLIST_CSV, write_results
from ml.screen.sheets import number_in, sheet_name, sheet_of, sheets_of
from ml.texts import RESEARCH_USE_ONLY
from tests.factories.analyses import MODELS, POINT
from tests.factories.catalogues import use_catalogue
from tests.ml.screen.test_report import CARD, Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = "/in/ward (west)"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(autouse=True)
def three_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "STUDIES_A_SHEET", 3)


def rank(number: int, *, is_attention: bool = False, **more: Any) -> StudyRank:
    known: dict[str, Any] = {
        "key": f"{number}",
        "study_uid": f"1.2.{number}",
        "patient_id": f"P{number}.",
        "date": "20161004",
        "synthetic": False,
        "group": Group.ATTENTION if is_attention else Group.RANKED,
        "reasons": ("A reason.",) if is_attention else (),
        "breasts": (),
        "score": 0.5,
        "probability": 0.25,
        "above": True,
        "density": None,
        "images": 4,
        "refused": 0,
        "failed": 0,
        "waiting": 0,
        "places": (),
        **more,
    }
    return StudyRank(**known)


def list_of(studies: int, attention: int = 0) -> tuple[StudyRank, ...]:
    return tuple(rank(n, is_attention=n <= attention) for n in range(1, studies + 1))


def write(
    out: Path,
    ranks: tuple[StudyRank, ...],
    thumbnail: Callable[[str], str | None] = lambda place: None,
    **more: Any,
) -> None:
    known: dict[str, Any] = {
        "folder": FOLDER,
        "models": MODELS,
        "written_at": "2026-11-30T06:05:04+00:00",
        **more,
    }
    attention = sum(each.group is Group.ATTENTION for each in ranks)
    summary = Summary(
        studies=len(ranks),
        images=4 * len(ranks),
        analyzed=4 * len(ranks),
        refused=0,
        failed=0,
        waiting=0,
        attention=attention,
        above=len(ranks),
        skipped={"copy": 1},
        threshold=0.42,
        quantiles=(0.5,) * 11,
        bins=(1,) * 20,
        distribution=CARD,
    )
    write_results(out, About(summary=summary, **known), ranks, tuple, thumbnail)


def reports(folder: Path) -> list[str]:
    """The names of all pages, and of what may be left of one."""
    return sorted(path.name for path in folder.iterdir() if "report" in path.name)


def links(page: Page) -> list[str | None]:
    return [each["href"] for each in page.all("a")]


def test_studies_are_dealt_to_pages() -> None:
    assert [(each.first, each.last) for each in sheets_of(7)] == [(1, 3), (4, 6), (7, 7)]
    assert [each.name for each in sheets_of(4)] == ["report.html", "report-2.html"]
    assert [each.of for each in sheets_of(6)] == [2, 2]
    assert [(each.first, each.last) for each in sheets_of(0)] == [(1, 0)]
    assert [sheet_of(place) for place in (1, 3, 4, 7)] == [1, 1, 2, 3]
    for number in (2, 3, 51):
        assert number_in(sheet_name(number)) == number
    for name in (REPORT_HTML, "report-2.html.bak", "report-x.html", "my report-2.html"):
        assert number_in(name) is None


def test_every_study_stands_on_one_page_in_its_place(tmp_path: Path) -> None:
    write(tmp_path, list_of(10, attention=4))
    names = [each.name for each in sheets_of(10)]
    assert sorted(names) == reports(tmp_path)
    shown: list[tuple[str, str]] = []
    for name in names:
        text = Page(tmp_path, name).text
        parts = text.split("lesion, probability")[:-1]
        shown += [tuple(part.split()[-4:-2]) for part in parts]  # place, patient, ·, date
    assert shown == [(f"{n}", f"P{n}.") for n in range(1, 11)]
    with (tmp_path / WORKLIST_CSV).open(encoding="utf-8", newline="") as file:
        assert [(row["place"], row["patient_id"]) for row in csv.DictReader(file)] == shown


def test_pages_lead_to_each_other_and_to_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, list_of(10))
    first, second, last = (Page(tmp_path, sheet_name(number)) for number in (1, 2, 4))
    there = {path.name for path in tmp_path.iterdir()}
    for page in (first, second, last):
        assert {link and link.partition("#")[0] for link in links(page)} <= {*there, ""}
    # On top and at the bottom; between them, on the first page, every page.
    assert links(second) == 2 * [
        *("report.html", "report.html", "report-3.html", "report-4.html")
    ]
    assert links(last) == 2 * ["report.html", "report-3.html"]
    assert links(first)[:2] == links(first)[-2:] == ["report-2.html", "report-4.html"]
    everywhere = ["report.html", "report-2.html", "report-3.html", "report-4.html"]
    assert links(first)[3:-2] == everywhere
    assert "Page 2 of 4: studies 4 to 6 of 10" in second.text
    assert "Page 4 of 4: studies 10 to 10 of 10" in last.text
    assert [each.get("rel") for each in last.all("a")] == 2 * [None, "prev"]


def test_one_page_needs_no_ways(tmp_path: Path) -> None:
    write(tmp_path, list_of(3))
    page = Page(tmp_path)
    assert (page.all("nav"), page.all("details"), links(page)) == ([], [], ["skipped.csv"])
    assert reports(tmp_path) == [REPORT_HTML]


def test_a_group_that_begins_pages_away_is_led_to(tmp_path: Path) -> None:
    write(tmp_path, list_of(10, attention=4))
    assert links(Page(tmp_path))[3:5] == ["#attention", "report-2.html#ranked"]
    assert "Ranked: from place 5" in Page(tmp_path).text
    second, third = (Page(tmp_path, sheet_name(number)) for number in (2, 3))
    assert [each.get("id") for each in second.all("h2")] == ["attention", "ranked"]
    assert "Attention: not wholly analyzed (continued)" in second.text
    assert "Ranked (continued)" not in second.text
    assert "Ranked (continued)" in third.text
    write(tmp_path, list_of(3, attention=1))
    assert links(Page(tmp_path))[1:] == ["#attention", "#ranked"]


def test_each_page_says_of_what_it_is(tmp_path: Path) -> None:
    write(tmp_path, list_of(4))
    for name in reports(tmp_path):
        text = Page(tmp_path, name).text
        for said in (
            RESEARCH_USE_ONLY,
            FOLDER,
            "2026-11-30 06:05 UTC",
            "detector@1.2.0",
            "classifier@1.2.0",
            "lesion score 0.42 or more",
        ):
            assert said in text
    assert "Lesion scores of the images" not in Page(tmp_path, "report-2.html").text
    assert (
        Page(tmp_path, "report-2.html")
        .text.lstrip()
        .startswith("Screened studies of ward (west), page 2 of 2")
    )


def test_pages_of_a_longer_list_go(tmp_path: Path) -> None:
    write(tmp_path, list_of(10))
    kept = tmp_path / "report-notes.html"
    kept.touch()
    # What is left where the writing of a longer list was killed.
    (tmp_path / ".report-7.html.part").touch()
    write(tmp_path, list_of(5))
    assert reports(tmp_path) == ["report-2.html", "report-notes.html", REPORT_HTML]
    write(tmp_path, ())
    assert reports(tmp_path) == ["report-notes.html", REPORT_HTML]
    assert "No study was found." in Page(tmp_path).text


def test_what_breaks_off_leaves_all_the_old_pages(tmp_path: Path) -> None:
    write(tmp_path, list_of(10))
    old = {name: (tmp_path / name).read_bytes() for name in reports(tmp_path)}

    def breaking(place: str) -> str | None:
        raise OSError("the disk is gone")

    pictured = (rank(4, places=(Placed("/in/x.dcm", "RCC"),)), *list_of(2))
    with pytest.raises(OSError, match="gone"):
        write(tmp_path, (*list_of(4), *pictured), breaking)
    assert {name: (tmp_path / name).read_bytes() for name in reports(tmp_path)} == old


def test_the_first_page_takes_its_place_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: list[str] = []
    path_class = type(tmp_path)
    replace = path_class.replace

    def listening(self: Path, target: Path) -> Path:
        replaced.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(path_class, "replace", listening)
    write(tmp_path, list_of(7))
    assert replaced[-3:] == ["report-3.html", "report-2.html", REPORT_HTML]


def test_strangers_words_are_escaped_on_every_page(tmp_path: Path) -> None:
    names = {"patient_id": HOSTILE, "study_uid": HOSTILE, "date": HOSTILE}
    ranks = tuple(rank(n, **names, reasons=(HOSTILE,)) for n in range(1, 8))
    use = ModelUse(HOSTILE, HOSTILE, "", POINT, {HOSTILE: 0.5})
    write(tmp_path, ranks, folder=f"/in/{HOSTILE}", models={"detector": use})
    for name in reports(tmp_path):
        page = Page(tmp_path, name)
        assert (page.all("script"), page.open) == ([], [])
        assert page.text.count(HOSTILE) >= 4 * len(page.all("article")) + 2


def test_a_page_is_in_the_language_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (left, turned) = (tmp_path / "en", tmp_path / "ar")
    write(left, list_of(4))
    assert Page(left).all("html") == [{"lang": "en", "dir": "ltr"}]
    words = {
        RESEARCH_USE_ONLY: "للبحث فقط",
        "Ranked": "مرتبة",
        "Next page": "التالية <",
        "Page {page} of {pages}: studies {first} to {last} of {count}": "{page}/{pages}",
        "lesion, score {value}": "درجة {value}",
    }
    use_catalogue(monkeypatch, tmp_path, "ar", words)
    write(turned, list_of(4))
    page = Page(turned)
    assert page.all("html") == [{"lang": "ar", "dir": "rtl"}]
    for said in ("للبحث فقط", "مرتبة", "التالية <", "1/2", "درجة 0.50"):
        assert said in page.text
    for word in ("Research", "Ranked", "Next page"):
        assert word not in page.text
    # What is no text of the program keeps its own direction.
    turns = {each.get("dir") for each in page.all("bdi")}
    assert turns == {"ltr", "auto"}
    content = json.loads((turned / RESULTS_JSON).read_text("utf-8"))
    assert content["research_use_only"] == "للبحث فقط"


def test_every_word_of_the_page_can_be_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written with all texts turned to signs, no English word is left."""

    class Signs:
        def gettext(self, text: str) -> str:
            fields = [part.partition("}")[0] for part in text.split("{")[1:]]
            return "§" + "".join(f"{{{field}}}" for field in fields)

    monkeypatch.setattr(texts, "_catalogue", lru_cache(maxsize=1)(lambda: ("xx", Signs())))
    ranks = (
        rank(1, is_attention=True, reasons=(), synthetic=True, patient_id=""),
        *(rank(n, above=above) for n, above in ((2, None), (3, False), (4, True))),
    )
    uses = {"detector": ModelUse("1", "2", "", POINT), "classifier": MODELS["classifier"]}
    write(tmp_path, ranks, models=uses, folder="/1/2")
    known = ("UTC", "classifier", "sensitivity", "skipped.csv", "P2.", "P3.", "P4.")
    for name in reports(tmp_path):
        page = Page(tmp_path, name)
        labels = (each.get("aria-label") or "" for _, each in page.elements)
        text = " ".join((page.text, *labels))
        for word in (*known, CARD.data):
            text = text.replace(word, "")
        assert not [word for word in text.split() if word.isascii() and word.isalpha()]
