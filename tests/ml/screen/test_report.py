from __future__ import annotations

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from ml.distribution import QUANTILES, Distribution, Part
from ml.findings_json import image_from_json
from ml.mammo.codes import FindingType
from ml.screen.page import SKIPPED_CSV, About
from ml.screen.ranking import Tally, ranked, summary_of
from ml.screen.report import (
    REPORT_HTML,
    RESULTS_CSV,
    RESULTS_JSON,
    WORKLIST_CSV,
    harmless,
    write_results,
)
from ml.screen.rows import Answer, Entry, Heading, ScreenedImage, ScreenedStudy, Standing, State
from tests.factories.analyses import FOUR_VIEWS, MODELS, make_finding, make_image_analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FILES = (REPORT_HTML, RESULTS_CSV, RESULTS_JSON, SKIPPED_CSV, WORKLIST_CSV)
SCRIPT = "<script>alert(1)</script>"
CARD = Distribution(
    Part(tuple((n / 50) ** 3 for n in range(QUANTILES)), 300, 120),
    Part(tuple((n / 50) ** 0.5 for n in range(QUANTILES)), 90, 40),
    "phantoms <b>",
)


def image(
    title: str, answer: Answer | None, *, key: str = "k", **heading: str
) -> ScreenedImage:
    place = heading.pop("place", f"/in/{key}/{title}.dcm")
    known: dict[str, Any] = {
        "patient_id": f"P_{key}",
        "sop_instance_uid": f"1.2.{key}.{title}",
        "study_instance_uid": f"1.2.{key}",
        "study_date": "20161004",
        **heading,
    }
    return ScreenedImage(
        Heading(
            Entry(place, 1, 2), Standing.IMAGE, study_key=key, rows=30, columns=20, **known
        ),
        answer,
    )


def done(title: str, lesion: float = 0.1) -> Answer:
    findings = (make_finding(0.71), make_finding(0.3, FindingType.CALCIFICATIONS))
    return Answer(State.DONE, make_image_analysis(title, lesion=lesion, findings=findings))


def whole(key: str, lesion: float, **heading: str) -> ScreenedStudy:
    images = (image(title, done(title, lesion), key=key, **heading) for title in FOUR_VIEWS)
    return ScreenedStudy(key, tuple(images))


def broken(key: str, sentence: str = "The file is cut short.") -> ScreenedStudy:
    """Refused, failed, not yet analyzed, and one that was."""
    refusal = make_image_analysis("RMLO", refused="A spot view.")
    return ScreenedStudy(
        key,
        (
            image("RCC", done("RCC", 0.3), key=key),
            image("RMLO", Answer(State.REFUSED, refusal, "A spot view."), key=key),
            image("x", Answer(State.FAILED, None, sentence), key=key),
            image("y", None, key=key),
        ),
    )


def write(
    folder: Path,
    *studies: ScreenedStudy,
    thumbnail: Callable[[str], str | None] = lambda place: None,
    again: Callable[[], Iterable[ScreenedStudy]] | None = None,
    card: Distribution | None = CARD,
) -> None:
    tally = Tally(0.42)
    ranks = ranked(map(tally.add, studies))
    summary = summary_of(tally, {"copy": 2, "damaged": 1}, card)
    about = About("/in/folder", MODELS, "2026-11-30T06:05:04+00:00", summary)
    write_results(folder, about, ranks, again or (lambda: iter(studies)), thumbnail)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, folder: Path, name: str = REPORT_HTML) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed((folder / name).read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} " if self.open[-1:] != ["style"] else ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_row_an_image(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.5), broken("b"))
    rows = table(tmp_path / RESULTS_CSV)
    assert len(rows) == 8
    first = rows[0]
    assert first["path"] == "/in/a/RCC.dcm"
    assert (first["laterality"], first["view"], first["state"]) == ("R", "CC", "done")
    assert (first["findings"], first["best_finding_score"]) == ("2", "0.71")
    assert (first["lesion_score"], first["lesion_probability"]) == ("0.5", "0.25")
    assert (first["malignancy_score"], first["density"]) == ("0.1", "B")
    assert first["models"] == "detector=detector@1.2.0;classifier=classifier@1.2.0"
    seen, refused, failed, waiting = rows[4:]
    assert seen["state"] == "done"
    assert (refused["state"], refused["refused"]) == ("refused", "A spot view.")
    assert (refused["failed"], refused["lesion_score"], refused["findings"]) == ("", "", "0")
    assert (failed["state"], failed["failed"]) == ("failed", "The file is cut short.")
    assert (failed["sop_instance_uid"], failed["rows"]) == ("1.2.b.x", "30")
    assert (waiting["state"], waiting["refused"], waiting["failed"]) == ("waiting", "", "")


def test_a_row_a_study_in_the_order_of_reading(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.1), whole("c", 0.8), broken("b"))
    rows = table(tmp_path / WORKLIST_CSV)
    assert [(row["place"], row["patient_id"]) for row in rows] == [
        ("1", "P_b"),
        ("2", "P_c"),
        ("3", "P_a"),
    ]
    attention, above, below = rows
    assert attention["group"] == "attention"
    assert attention["reasons"] == (
        "RMLO: A spot view. | x.dcm: The file is cut short. | y.dcm: Not yet analyzed."
    )
    counts = [attention[name] for name in ("images", "refused", "failed", "waiting")]
    assert counts == ["4", "1", "1", "1"]
    assert (attention["right_verdict"], attention["left_verdict"]) == ("below", "")
    assert (above["group"], above["reasons"], above["synthetic"]) == ("ranked", "", "no")
    assert (above["left_score"], above["left_probability"]) == ("0.8", "0.4")
    assert (above["verdict"], above["left_verdict"], above["density"]) == (
        "above",
        "above",
        "B",
    )
    assert below["verdict"] == "below"


def test_the_document_holds_everything(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.1), broken("b"))
    content = json.loads((tmp_path / RESULTS_JSON).read_text("utf-8"))
    assert content["research_use_only"] == "Research use only. Not a medical device."
    assert [(each["role"], each["name"]) for each in content["models"]] == [
        ("detector", "detector"),
        ("classifier", "classifier"),
    ]
    assert content["summary"]["studies"] == {"all": 2, "attention": 1, "above": 0}
    assert content["summary"]["images"]["waiting"] == 1
    assert content["summary"]["skipped_files"] == {"copy": 2, "damaged": 1}
    scores = content["summary"]["lesion_scores"]
    assert len(scores["folder"]) == len(scores["per_cent"]) == 11
    assert scores["card"]["without_lesion"][5] == pytest.approx(0.125)
    by_key = {study["patient_id"]: study for study in content["studies"]}
    assert (by_key["P_b"]["place"], by_key["P_a"]["place"]) == (1, 2)
    assert [each["state"] for each in by_key["P_b"]["images"]] == [
        *("done", "refused", "failed", "waiting")
    ]
    assert by_key["P_b"]["images"][2]["sentence"] == "The file is cut short."
    assert by_key["P_a"]["breasts"][1]["laterality"] == "L"
    # Each row can be read as `analyze --json` writes it, and names the place that was met.
    again = image_from_json(by_key["P_a"]["images"][0])
    assert (again.path, again.lesion_score, len(again.findings)) == ("/in/a/RCC.dcm", 0.1, 2)


def test_what_is_no_number_does_not_spoil_the_document(tmp_path: Path) -> None:
    answer = done("RCC")
    assert answer.analysis is not None
    nan = replace(
        answer.analysis, lesion_score=float("nan"), findings=(make_finding(float("inf")),)
    )
    write(tmp_path, ScreenedStudy("a", (image("RCC", Answer(State.DONE, nan), key="a"),)))

    def refuse(word: str) -> None:
        raise AssertionError(word)

    text = (tmp_path / RESULTS_JSON).read_text("utf-8")
    (row,) = json.loads(text, parse_constant=refuse)["studies"][0]["images"]
    assert (row["lesion_score"], row["findings"][0]["score"]) == (None, None)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"]
)
def test_a_cell_is_no_formula(text: str, tmp_path: Path) -> None:
    assert harmless(text) == f"'{text}"
    names = {"patient_id": text, "sop_instance_uid": text, "place": text}
    failure = Answer(State.FAILED, None, text)
    write(tmp_path, ScreenedStudy("a", (image("RCC", failure, key="a", **names),)))
    assert table(tmp_path / WORKLIST_CSV)[0]["patient_id"] == f"'{text}"
    row = table(tmp_path / RESULTS_CSV)[0]
    for column in ("path", "sop_instance_uid", "failed"):
        assert row[column] == f"'{text}"


def test_only_what_is_dangerous_is_changed() -> None:
    for value in ("P_1-2=3", "", "1.2.3", -0.5, None, 7):
        assert harmless(value) == value


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    place = '/in/a "b", c;d\ne\rf\u00e9\U0001f600\udcff.dcm'
    write(tmp_path, whole("a", 0.1, place=place))
    assert table(tmp_path / RESULTS_CSV)[0]["path"] == place.replace("\udcff", "\\udcff")
    content = json.loads((tmp_path / RESULTS_JSON).read_text("utf-8"))
    assert content["studies"][0]["images"][0]["path"] == place
    titles = {each.get("title") for each in Page(tmp_path).all("figure")}
    assert place.replace("\udcff", "\\udcff").replace("\r", "\n") in {
        (title or "").replace("\r", "\n") for title in titles
    }


def test_the_page_escapes_what_strangers_wrote(tmp_path: Path) -> None:
    hostile = f'"><img src=x onerror=alert(1)>{SCRIPT}'
    names = {"patient_id": SCRIPT, "study_instance_uid": hostile, "study_date": SCRIPT}
    study = broken("b", SCRIPT)
    write(
        tmp_path,
        whole("a", 0.5, place=hostile, **names),
        study,
        thumbnail=lambda place: f'thumbnails/"{SCRIPT}.jpg',
    )
    page = Page(tmp_path)
    assert page.all("script") == []
    assert page.open == []
    assert page.text.count(SCRIPT) >= 4
    assert "phantoms <b>" in page.text
    for attributes in page.all("img"):
        assert set(attributes) == {"loading", "alt", "src"}
        assert attributes["src"] == "thumbnails/%22%3Cscript%3Ealert%281%29%3C/script%3E.jpg"


def test_the_page_says_what_it_is_and_why(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.8), whole("c", 0.1), broken("b"))
    page = Page(tmp_path)
    body = page.text.partition("Research use only. Not a medical device.")
    assert body[0].strip() == "Screened studies of folder"
    order = [
        *("/in/folder", "2026-11-30 06:05 UTC", "detector@1.2.0", "classifier@1.2.0"),
        *("lesion score 0.42 or more", "sensitivity 0.90 (0.42)"),
        *("Lesion scores of the images", "operating point 0.42", "card, without lesion"),
        *("Attention: not wholly analyzed", "P_b", "RMLO: A spot view."),
        *("x.dcm: The file is cut short.", "y.dcm: Not yet analyzed."),
        *(
            "Ranked",
            "P_a",
            "2016-10-04",
            "40.0\N{NO-BREAK SPACE}%",
            "at or above operating point",
        ),
        *("P_c", "below operating point"),
    ]
    places = []
    start = 0
    for text in order:
        start = body[2].index(text, start)
        places.append(start)
    assert places == sorted(places)
    assert "normal" not in page.text.lower()
    assert len(page.all("article")) == 3


def test_a_synthetic_study_is_told_as_one(tmp_path: Path) -> None:
    study = whole("a", 0.1)
    images = (
        replace(each, heading=replace(each.heading, synthetic=True)) for each in study.images
    )
    write(tmp_path, replace(study, images=tuple(images)), whole("b", 0.2))
    assert Page(tmp_path).text.count("synthetic") == 1
    assert [row["synthetic"] for row in table(tmp_path / WORKLIST_CSV)] == ["no", "yes"]


def test_pictures_are_linked_where_there_are_some(tmp_path: Path) -> None:
    links = {"/in/a/RCC.dcm": "thumbnails/ab/x y.jpg"}
    write(tmp_path, whole("a", 0.5), thumbnail=links.get)
    page = Page(tmp_path)
    assert page.all("img") == [
        {"loading": "lazy", "alt": "RCC", "src": "thumbnails/ab/x%20y.jpg"}
    ]
    assert len(page.all("figcaption")) == 1 + 4


def test_no_study_at_all_has_all_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write(folder, card=None)
    assert table(folder / RESULTS_CSV) == table(folder / WORKLIST_CSV) == []
    content = json.loads((folder / RESULTS_JSON).read_text("utf-8"))
    assert (content["studies"], content["summary"]["lesion_scores"]["card"]) == ([], None)
    page = Page(folder)
    assert "No study was found." in page.text
    assert (page.all("svg"), page.open) == ([], [])
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_scores_without_a_card_are_drawn_alone(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.5), card=None)
    page = Page(tmp_path)
    assert "nothing to compare with" in page.text
    assert "card, without lesion" not in page.text
    # All four in one of twenty parts, each with its bar, and one bar in the legend.
    assert len(page.all("rect")) == 21


def test_what_breaks_off_leaves_the_old_files(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.5))
    old = {name: (tmp_path / name).read_bytes() for name in FILES}
    studies = [whole("a", 0.9), whole("b", 0.9)]

    def breaking() -> Iterator[ScreenedStudy]:
        yield studies[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        write(tmp_path, *studies, again=breaking)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_a_page_that_breaks_off_leaves_the_old_page(tmp_path: Path) -> None:
    write(tmp_path, whole("a", 0.5))
    old = (tmp_path / REPORT_HTML).read_bytes()

    def breaking(place: str) -> str | None:
        raise OSError(f"no picture of {place}")

    with pytest.raises(OSError, match="no picture"):
        write(tmp_path, whole("b", 0.5), thumbnail=breaking)
    assert (tmp_path / REPORT_HTML).read_bytes() == old
    assert table(tmp_path / WORKLIST_CSV)[0]["patient_id"] == "P_b"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_a_study_that_was_found_since_waits_for_the_next_report(tmp_path: Path) -> None:
    known, late = whole("a", 0.5), whole("late", 0.9)
    write(tmp_path, known, again=lambda: iter((late, known)))
    assert {row["study_instance_uid"] for row in table(tmp_path / RESULTS_CSV)} == {"1.2.3"}
    assert len(table(tmp_path / RESULTS_CSV)) == 4
    content = json.loads((tmp_path / RESULTS_JSON).read_text("utf-8"))
    assert [study["patient_id"] for study in content["studies"]] == ["P_a"]


def test_images_are_written_as_they_come(tmp_path: Path) -> None:
    """No study is held when the second next is asked for: memory stays flat."""
    alive: set[int] = set()
    most = 0

    class Watched(ScreenedStudy):
        def __del__(self) -> None:
            alive.discard(id(self))

    def many() -> Iterator[ScreenedStudy]:
        nonlocal most
        for number in range(50):
            study = Watched(f"{number}", whole(f"{number}", 0.5).images)
            alive.add(id(study))
            most = max(most, len(alive))
            yield study
            del study

    tally = Tally(0.42)
    ranks = ranked(map(tally.add, many()))
    about = About("/in/folder", MODELS, "2026-11-30T06:05:04+00:00", summary_of(tally, {}))
    write_results(tmp_path, about, ranks, many)
    assert len(table(tmp_path / RESULTS_CSV)) == 200
    assert 1 <= most <= 3
