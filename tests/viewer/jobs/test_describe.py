from __future__ import annotations

import pytest

from tests.factories.queues import make_row
from viewer.core.state import Background
from viewer.jobs import describe
from viewer.jobs.devices import default_lane
from viewer.library.job_row import JobState

RUNNING = make_row(1, state=JobState.RUNNING, done=23, of=40, eta_s=30.6)


@pytest.mark.parametrize(
    ("state", "fitting"),
    [
        (JobState.QUEUED, {"pause", "cancel"}),
        (JobState.RUNNING, {"pause", "cancel"}),
        (JobState.PAUSING, {"resume", "cancel"}),
        (JobState.PAUSED, {"resume", "cancel"}),
        (JobState.CANCELLED, {"retry", "remove"}),
        (JobState.FAILED, {"retry", "remove"}),
        (JobState.DONE, {"remove"}),
    ],
)
def test_the_buttons_of_a_state(state: JobState, fitting: set[str]) -> None:
    row = make_row(1, state=state)
    assert describe.fitting(row, (row,)) == fitting


def test_a_job_that_is_being_cancelled_is_left_alone() -> None:
    row = make_row(1, state=JobState.RUNNING, stopping=True)
    assert describe.fitting(row, (row,)) == set()
    assert describe.state_text(row) == "cancelling"


def test_only_those_that_wait_for_one_device_change_places() -> None:
    rows = (make_row(1), make_row(2, lane="cuda:0"), make_row(3))
    moves = [describe.fitting(row, rows) & {"up", "down"} for row in rows]
    assert moves == [{"down"}, set(), {"up"}]


def test_times_and_sizes_in_words() -> None:
    assert describe.each_text(RUNNING) == "1.8 s each"
    assert describe.left_text(RUNNING) == "31 s left"
    assert describe.batch_text(RUNNING) == "Generating 23 of 40"
    assert describe.duration_text(4800) == "1 h 20 min"
    assert describe.memory_text(make_row(memory_bytes=3 * 2**29)) == "1.5 GiB"
    assert describe.left_text(make_row()) == describe.memory_text(make_row()) == ""


def test_the_bottom_line() -> None:
    assert describe.background_of(()) == Background()
    assert describe.background_of((make_row(),)) == Background("jobs that wait: 1")
    told = describe.background_of((RUNNING, make_row(2, title="Retrain", kind="train")))
    assert told.text == "CPU lane: Generate 8 23 of 40 · 31 s left · next: Retrain"
    assert told.share == 23 / 40


def test_a_studio_opens_with_what_runs_else_with_the_newest() -> None:
    done = make_row(3, state=JobState.DONE)
    assert describe.batch_to_show((RUNNING, done)) is RUNNING
    assert describe.batch_to_show((done, make_row(2, state=JobState.DONE))) is done
    assert describe.batch_to_show((make_row(9, kind="train"),)) is None


def test_the_processor_where_it_is_asked_for() -> None:
    assert default_lane("cpu") == "cpu"
    assert default_lane("auto") in ("cpu", "cuda:0")
