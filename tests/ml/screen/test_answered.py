"""What a screening's models said is found again by whoever opens one of its studies."""

from __future__ import annotations

import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.screen.answered import said_of
from ml.screen.ledger import LEDGER, Ledger, models_key, url_of
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from tests.factories.analyses import MODELS, make_finding, make_image_analysis

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = {role: replace(use, card_sha256="other") for role, use in MODELS.items()}


def make_heading(uid: str) -> Heading:
    return Heading(Entry(f"{uid}.dcm", 1, 1), Standing.IMAGE, sop_instance_uid=uid)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Answers to two images; the second is refused. A third failed."""
    with closing(Ledger(url_of(tmp_path), models_key(MODELS))) as ledger:
        found = make_image_analysis("RCC", findings=(make_finding(0.7),), lesion=0.6)
        ledger.put_answer(make_heading("1"), Answer(State.DONE, found), MODELS)
        refused = make_image_analysis("RCC", refused="A spot view.")
        ledger.put_answer(make_heading("2"), Answer(State.REFUSED, refused), MODELS)
        ledger.put_answer(make_heading("3"), Answer(State.FAILED, None, "Damaged."), MODELS)
    return tmp_path


def test_answers_come_in_the_order_asked_for(results: Path) -> None:
    second, first = said_of(results, [("2", False), ("1", False)], MODELS)
    assert second.refused == "A spot view."
    assert [finding.score for finding in first.findings] == [0.7]


@pytest.mark.parametrize("asked", [("1", True), ("3", False), ("4", False)])
def test_one_image_without_an_answer_is_none(results: Path, asked: tuple[str, bool]) -> None:
    assert said_of(results, [("1", False), asked], MODELS) == ()


def test_what_other_models_said_is_none(results: Path) -> None:
    assert said_of(results, [("1", False)], OTHERS) == ()


def test_no_ledger_and_no_database_say_nothing(tmp_path: Path) -> None:
    assert said_of(tmp_path, [("1", False)], MODELS) == ()
    (tmp_path / LEDGER).write_text("no database", "utf-8")
    assert said_of(tmp_path, [("1", False)], MODELS) == ()


def test_it_is_read_where_nobody_may_write_and_while_it_is_written(results: Path) -> None:
    with closing(Ledger(url_of(results), models_key(MODELS))) as ledger:
        late = make_image_analysis("RCC", lesion=0.2)
        ledger.put_answer(make_heading("5"), Answer(State.DONE, late), MODELS)
        assert said_of(results, [("5", False)], MODELS)
    before = (results / LEDGER).read_bytes()
    (results / LEDGER).chmod(stat.S_IREAD)
    assert said_of(results, [("5", False)], MODELS)
    assert (results / LEDGER).read_bytes() == before
