"""What the window of a screening says and offers."""

from __future__ import annotations

import pytest

from tests.factories.queues import make_row
from viewer.jobs.screen_deeds import done_text, foot_of, rate_text, row_into
from viewer.library.job_row import JobState

ANALYZING = {"phase": "analyzing", "images_a_minute": 220.04}
RUNNING = make_row(
    kind="screen",
    spec={"folder": "/a", "out": "/b"},
    state=JobState.RUNNING,
    done=1200,
    of=40000,
    news=ANALYZING,
    eta_s=7200.0,
)


def test_the_newest_screening_into_a_folder_is_shown() -> None:
    old, new = make_row(3, kind="screen", spec={"out": "/b"}), make_row(5, kind="generate")
    again = make_row(4, kind="screen", spec={"out": "/b"})
    rows = (again, old, new, make_row(6, kind="screen", spec={"out": "/c"}))
    assert row_into(rows, "/b") is again
    assert row_into(rows, "/x") is None


def test_progress_has_the_rate_and_the_time_that_is_left() -> None:
    foot = foot_of(RUNNING, (RUNNING,), again=False)
    assert foot.sentence == (
        "Screening · 1,200 of 40,000 images · 220 images a minute · 2 h 0 min left · "
        "you can read meanwhile"
    )
    assert foot.share == pytest.approx(0.03)
    assert [deed.name for deed in foot.deeds] == ["pause", "cancel"]


def test_until_the_queue_knows_the_rate_says_what_is_left() -> None:
    early = make_row(state=JobState.RUNNING, done=10, of=120, news=ANALYZING)
    assert "30 s left" in foot_of(early, (early,), again=False).sentence


def test_looking_through_a_folder_counts_files() -> None:
    news = {"phase": "indexing", "indexed": 12000}
    row = make_row(state=JobState.RUNNING, news=news)
    foot = foot_of(row, (row,), again=True)
    assert foot.sentence.startswith("Looking through the folder · 12,000 files · ")


def test_a_job_that_waits_or_is_paused_tells_no_rate() -> None:
    paused = make_row(state=JobState.PAUSED, done=3, of=9, news=ANALYZING)
    foot = foot_of(paused, (paused,), again=False)
    assert foot.sentence == "Paused · 3 of 9 images · you can read meanwhile"
    assert [deed.name for deed in foot.deeds] == ["resume", "cancel"]


def test_what_is_done_says_what_was_found() -> None:
    done = make_row(state=JobState.DONE, news={"studies": 1400, "attention": 31})
    assert done_text(done) == (
        "The folder is screened: 1,400 studies, 31 of them not wholly analyzed."
    )
    assert foot_of(done, (done,), again=True).deeds[0].text == "Screen again"
    assert done_text(make_row(state=JobState.DONE)) == "The folder is screened."
    failed = make_row(state=JobState.FAILED, sentence="The disk is full.")
    assert foot_of(failed, (failed,), again=False).sentence == "The disk is full."
    cancelled = make_row(state=JobState.CANCELLED)
    assert "stays" in foot_of(cancelled, (cancelled,), again=False).sentence


def test_failed_images_may_be_tried_again() -> None:
    names = [deed.name for deed in foot_of(None, (), again=True, failed=True).deeds]
    assert names == ["retry_failed", "start"]


@pytest.mark.parametrize(
    ("rate", "told"),
    [(4.25, "4.2 images a minute"), (1234.5, "1,234 images a minute"), (0, ""), ("x", "")],
)
def test_a_rate_is_told_where_there_is_one(rate: object, told: str) -> None:
    assert rate_text({"images_a_minute": rate}) == told
