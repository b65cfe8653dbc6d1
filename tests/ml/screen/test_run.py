"""A folder is screened: everything is found, analyzed once, ranked and written."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ml.control import Control, Stopped
from ml.errors import DataError
from ml.in_use import cards_in_use
from ml.screen.ledger import LEDGER, Ledger, models_key, url_of
from ml.screen.order import ScreenOrder
from ml.screen.preparing import Openers
from ml.screen.run import Screening, run
from tests.factories.breasts import make_four_views, make_view
from tests.factories.screening import poisonous

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Heard(Control):
    """Keeps what is told; ends the work after so many answers where asked."""

    def __init__(self, stop_after: int = 0) -> None:
        self.news: list[Mapping[str, object]] = []
        self.lines: list[str] = []
        self._stop_after = stop_after

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        self.news.append({**(news or {}), "done": done, "of": of})

    def breathe(self) -> None:
        if self._stop_after and len(self.of_phase("analyzing")) >= self._stop_after:
            raise Stopped

    def log(self, sentence: str) -> None:
        self.lines.append(sentence)

    def of_phase(self, name: str) -> list[Mapping[str, object]]:
        return [one for one in self.news if one.get("phase") == name]


@pytest.fixture
def archive(tmp_path: Path, packs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two women, a view without its others, a note, and a file that is damaged."""
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(packs))
    folder = tmp_path / "archive"
    for number in (1, 2):
        woman = folder / f"woman {number}"
        for path in make_four_views(woman, **study(number)):
            assert path.exists()
    make_view(folder / "other", "RCC", **study(3, image=31))
    (folder / "notes.txt").write_text("to be read tomorrow")
    whole = (folder / "other" / "RCC-1.dcm").read_bytes()
    (folder / "other" / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    rename_image(folder / "other" / "cut.dcm", b"1.2.3.4.31", b"1.2.3.4.32")
    return folder


def study(number: int, image: int = 0) -> dict[str, Any]:
    header: dict[str, Any] = {
        "StudyInstanceUID": f"1.2.{number}",
        "PatientID": f"WOMAN-{number}",
    }
    if image:
        header["SOPInstanceUID"] = f"1.2.3.4.{image}"
    return header


def rename_image(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.fixture(autouse=True)
def own_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each woman's images have UIDs of their own."""
    import tests.factories.breasts as breasts

    plain = breasts.make_view

    def named(folder: Path, title: str, number: int = 1, **header: Any) -> Path:
        uid = f"{header['StudyInstanceUID']}.4.{number}"
        return plain(folder, title, number, **({"SOPInstanceUID": uid} | header))

    monkeypatch.setattr(breasts, "make_view", named)


def order(archive: Path, **more: object) -> dict[str, object]:
    spec = {"folder": str(archive), "out": str(archive.parent / "out"), "processes": 1}
    return {**spec, **more}


def results(archive: Path) -> dict[str, Any]:
    return json.loads((archive.parent / "out" / "results.json").read_text("utf-8"))


def answered(archive: Path) -> int:
    with closing(sqlite3.connect(archive.parent / "out" / LEDGER)) as ledger:
        return ledger.execute("SELECT count(*) FROM answers").fetchone()[0]


def test_all_is_found_analyzed_ranked_and_written(archive: Path) -> None:
    heard = Heard()
    run(order(archive), heard)
    out = archive.parent / "out"
    found = results(archive)
    assert found["summary"]["studies"]["all"] == 3
    by_key = {each["patient_id"]: each for each in found["studies"]}
    assert by_key["WOMAN-1"]["group"] == by_key["WOMAN-2"]["group"] == "ranked"
    other = by_key["WOMAN-3"]
    assert other["group"] == "attention"
    assert any("LCC" in reason for reason in other["reasons"])
    assert any("cut.dcm" in reason for reason in other["reasons"])
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert sum(row["state"] == "failed" for row in rows) == 1
    with (out / "skipped.csv").open(newline="", encoding="utf-8") as file:
        (skipped,) = csv.DictReader(file)
    assert skipped["path"].endswith("notes.txt")
    assert skipped["standing"] == "other"
    page = (out / "report.html").read_text("utf-8")
    assert "Research use only" in page
    assert len(list((out / "thumbnails").rglob("*.jpg"))) == 9
    assert heard.of_phase("done")[-1]["attention"] == 1


def test_running_again_does_nothing_twice(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(order(archive), Control())
    before = (archive.parent / "out" / "results.json").read_text("utf-8")
    monkeypatch.setattr("ml.screen.local.load_reader", pytest.fail)
    heard = Heard()
    run(order(archive), heard)
    assert not heard.of_phase("analyzing")
    assert (archive.parent / "out" / "results.json").read_text("utf-8") == before


def test_stopped_it_goes_on_with_what_is_missing(archive: Path) -> None:
    with pytest.raises(Stopped):
        run(order(archive), Heard(stop_after=3))
    done = answered(archive)
    assert 3 <= done < 10
    heard = Heard()
    run(order(archive), heard)
    assert answered(archive) == 10
    assert len(heard.of_phase("analyzing")) == 10 - done
    assert results(archive)["summary"]["studies"]["all"] == 3


def test_a_late_image_is_analyzed_alone(archive: Path) -> None:
    run(order(archive), Control())
    make_view(archive / "late", "LCC", **study(3, image=33))
    heard = Heard()
    run(order(archive), heard)
    assert len(heard.of_phase("analyzing")) == 1


def test_results_within_the_folder_are_not_screened(archive: Path) -> None:
    inside = str(archive / "results")
    run(order(archive, out=inside), Control())
    heard = Heard()
    run(order(archive, out=inside), heard)
    assert heard.of_phase("indexing")[-1]["indexed"] == 11


def test_a_folder_without_a_mammogram_is_told(tmp_path: Path, packs: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match="no mammogram"):
        run({"folder": str(tmp_path / "in"), "out": str(tmp_path / "out")}, Control())


def test_poison_costs_its_own_row(archive: Path) -> None:
    for number, name in enumerate(("abort", "hang"), 5):
        path = make_view(archive / name, "RCC", **study(number, image=number))
        path.rename(path.with_name(f"{name}.dcm"))
    cards = cards_in_use()
    uses = {role: card.use for role, card in cards.items()}
    (archive.parent / "out").mkdir()
    with (
        closing(Ledger(url_of(archive.parent / "out"), models_key(uses))) as ledger,
        closing(Openers(2, longest_s=4.0, open_image=poisonous)) as openers,
    ):
        spec = ScreenOrder.from_json(order(archive))
        Screening(spec, ledger, openers, cards, Control()).run()
    said = {
        image["path"].rpartition("/")[2]: image["sentence"]
        for each in results(archive)["studies"]
        for image in each["images"]
        if image["state"] == "failed"
    }
    assert set(said) == {"abort.dcm", "hang.dcm", "cut.dcm"}
    assert "ended the process" in said["abort.dcm"]
    assert "4 s" in said["hang.dcm"]
    assert results(archive)["summary"]["images"]["analyzed"] == 9


class Arrivals(Control):
    """Has the other images of a study arrive after its first was analyzed, then stops."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self.analyzed: list[int] = []
        self._after = 0

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        if (news or {}).get("phase") == "analyzing":
            self.analyzed.append(done)
        if (news or {}).get("phase") == "done":
            self._after += 1
            if self._after == 2:
                make_view(self._archive / "other", "LCC", **study(3, image=33))

    def breathe(self) -> None:
        if self._after == 3:
            raise Stopped


@pytest.mark.slow
def test_watched_a_study_is_analyzed_when_it_is_whole_and_again_when_one_is_late(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.screen.run._LOOK_AGAIN_S", 0.2)
    arrivals = Arrivals(archive)
    with pytest.raises(Stopped):
        run(order(archive, watch=True, settle_s=1.0), arrivals)
    # Written first as it was met, all of it waiting; then analyzed; then the late one alone.
    assert len(arrivals.analyzed) == 11
    found = results(archive)
    late = next(each for each in found["studies"] if each["patient_id"] == "WOMAN-3")
    assert sorted(image["state"] for image in late["images"]) == ["done", "done", "failed"]


def test_killed_anywhere_it_goes_on(archive: Path) -> None:
    command = [sys.executable, "-m", "viewer", "screen", str(archive)]
    command += ["--out", str(archive.parent / "out"), "--processes", "1"]
    ledger = archive.parent / "out" / LEDGER
    for _ in range(2):
        child = subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.DEVNULL)
        before, end = _rows(ledger), time.monotonic() + 60
        while child.poll() is None and _rows(ledger) <= before and time.monotonic() < end:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
    done = _rows(ledger)
    assert done >= 1
    run(order(archive), Control())
    assert answered(archive) == 10
    assert results(archive)["summary"]["studies"]["all"] == 3


def _rows(ledger: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
    except sqlite3.Error:
        return 0
