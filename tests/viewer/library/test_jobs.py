"""The queue as rows: order, states, runs, owners; and two programs at once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.viewer.library.test_migrations import make_old
from viewer.core.errors import LibraryError
from viewer.library import jobs as module
from viewer.library.job_row import JobRow, JobState, remaining_s
from viewer.library.jobs import Jobs
from viewer.library.library import Library
from viewer.library.owners import is_alive, this_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GONE = this_program().rsplit("/", 1)[0] + "/1.00"
CLAIMS = """
import sys
from pathlib import Path
from viewer.library.job_row import JobState
from viewer.library.jobs import Jobs
from viewer.library.library import Library, RecentStudy
path = Path(sys.argv[1])
rows, library = Jobs(path), Library(path)
print("ready", flush=True)
sys.stdin.readline()
library.remember_study(RecentStudy(sys.argv[2], "/", "", ""))
while any(not job.state.is_ended for job in rows.jobs()):
    job = rows.claim("cpu", "run")
    library.remember_study(RecentStudy(sys.argv[2], "/", "", ""))
    if job is not None:
        print(job.id)
        rows.add_line(job, sys.argv[2])
        assert rows.set_ended(job, JobState.DONE)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


@pytest.fixture
def rows(path: Path) -> Iterator[Jobs]:
    made = Jobs(path)
    yield made
    made.close()


def submit(rows: Jobs, *titles: str, lane: str = "cpu") -> list[int]:
    return [rows.submit("generate", title, {"seed": 1}, lane) for title in titles]


def claimed(rows: Jobs, run_id: str = "r1", lane: str = "cpu") -> JobRow:
    job = rows.claim(lane, run_id)
    assert job is not None
    return job


def titles(rows: Jobs) -> str:
    return "".join(job.title for job in rows.jobs())


def state_of(rows: Jobs, job_id: int) -> JobState:
    job = rows.job(job_id)
    assert job is not None
    return job.state


def test_jobs_come_back_with_all_that_they_need(path: Path, rows: Jobs) -> None:
    (first,) = submit(rows, "A")
    rows.close()
    job = Jobs(path).job(first)
    assert job is not None
    assert (job.kind, job.title, job.spec, job.lane) == ("generate", "A", {"seed": 1}, "cpu")
    assert job.state is JobState.QUEUED
    assert job.created_at
    assert rows.job(99) is None


def test_pixels_do_not_fit_in_a_row(rows: Jobs) -> None:
    with pytest.raises(ValueError, match="put paths"):
        rows.submit("generate", "A", {"pixels": "0" * 70_000}, "cpu")


def test_a_lane_runs_one_job_at_a_time_in_order(rows: Jobs) -> None:
    submit(rows, "A", "B")
    submit(rows, "G", lane="cuda:0")
    first = claimed(rows)
    assert first.title == "A"
    assert rows.claim("cpu", "r2") is None
    assert claimed(rows, "r3", "cuda:0").title == "G"
    rows.set_ended(first, JobState.DONE)
    assert claimed(rows, "r4").title == "B"


def test_a_job_is_moved_among_those_that_wait(rows: Jobs) -> None:
    a, _, c = submit(rows, "A", "B", "C")
    submit(rows, "G", lane="cuda:0")
    assert rows.move(c, 0)
    assert titles(rows) == "CABG"
    assert rows.move(c, 9)
    assert rows.move(a, 1)
    assert titles(rows) == "BACG"
    claimed(rows)
    assert not rows.move(rows.jobs()[0].id, 1)
    assert not rows.move(99, 0)


def test_pausing_waits_for_the_process_and_resuming_for_the_lane(rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    assert rows.pause(a)
    assert state_of(rows, a) is JobState.PAUSED
    assert rows.claim("cpu", "r0") is None
    assert rows.resume(a)
    job = claimed(rows)
    assert rows.pause(a)
    assert state_of(rows, a) is JobState.PAUSING
    assert rows.set_paused(job)
    assert not rows.set_paused(job)
    assert rows.resume(a)
    assert state_of(rows, a) is JobState.QUEUED
    assert claimed(rows, "r2").run_id == "r1", "its process waits"
    assert not rows.resume(a)


def test_a_pause_that_is_taken_back_in_time_changes_nothing(rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    job = claimed(rows)
    rows.pause(a)
    rows.resume(a)
    assert not rows.set_paused(job)
    assert state_of(rows, a) is JobState.RUNNING


def test_a_paused_job_of_another_program_is_left_to_that_one(path: Path, rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    job = claimed(rows)
    rows.pause(a)
    rows.set_paused(job)
    rows.resume(a)
    assert Jobs(path, owner="elsewhere/1/1").claim("cpu", "r2") is None
    assert claimed(rows).id == a


def test_cancelling_ends_exactly_one(rows: Jobs) -> None:
    a, b, c = submit(rows, "A", "B", "C")
    job = claimed(rows)
    assert rows.cancel(b)
    assert state_of(rows, b) is JobState.CANCELLED
    assert rows.cancel(a)
    waiting = rows.job(a)
    assert waiting is not None
    assert waiting.stopping
    assert waiting.state is JobState.RUNNING
    rows.set_ended(job, JobState.CANCELLED)
    assert state_of(rows, a) is JobState.CANCELLED
    assert state_of(rows, c) is JobState.QUEUED
    assert not rows.cancel(a)


def test_a_failed_job_is_tried_again_behind_the_others(rows: Jobs) -> None:
    a, _ = submit(rows, "A", "B")
    rows.set_ended(claimed(rows), JobState.FAILED, "The disk is full.")
    failed = rows.job(a)
    assert failed is not None
    assert failed.sentence == "The disk is full."
    assert failed.ended_at
    assert rows.retry(a)
    assert titles(rows) == "BA"
    assert not rows.retry(a)
    rows.cancel(a)
    assert rows.retry(a, lane="cuda:0")
    again = claimed(rows, "r2", "cuda:0")
    assert (again.sentence, again.ended_at, again.run_id) == ("", "", "r2")


def test_what_an_earlier_run_tells_changes_nothing(rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    old = claimed(rows)
    rows.set_ended(old, JobState.FAILED, "x")
    assert not rows.set_progress(old, 1, 2, {}, 1.0)
    rows.retry(a)
    claimed(rows, "r2")
    assert not rows.set_progress(old, 1, 2, {}, 1.0)
    assert not rows.set_ended(old, JobState.DONE)
    rows.add_line(old, "stale")
    assert rows.log(a) == ()
    assert state_of(rows, a) is JobState.RUNNING


def test_the_rest_is_told_from_the_rate_of_this_run(rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    job = claimed(rows)
    assert job.eta_s is None
    rows.set_progress(job, 40, 100, {"file": "a.png"}, 0.0)
    rows.set_progress(job, 60, 100, {}, 5.0)
    rows.set_memory(job, 300)
    rows.set_memory(job, 200)
    now = rows.job(a)
    assert now is not None
    assert (now.done, now.of, now.news, now.memory_bytes) == (60, 100, {"file": "a.png"}, 300)
    assert now.eta_s == pytest.approx(10.0)
    assert remaining_s(0, 10, 0, 3.0) is None


def test_the_log_keeps_the_newest_lines(rows: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_LINES", 3)
    (a,) = submit(rows, "A")
    job = claimed(rows)
    for number in range(5):
        rows.add_line(job, str(number))
    assert [line.sentence for line in rows.log(a)] == ["2", "3", "4"]
    rows.set_ended(job, JobState.DONE)
    assert rows.remove_ended()
    assert rows.log(a) == ()
    assert rows.jobs() == ()


def test_only_what_ended_is_removed(rows: Jobs) -> None:
    a, b = submit(rows, "A", "B")
    assert not rows.remove_ended(a)
    rows.cancel(a)
    rows.cancel(b)
    assert rows.remove_ended(b)
    assert [job.id for job in rows.jobs()] == [a]


def test_a_job_whose_program_is_gone_is_offered(path: Path) -> None:
    gone = Jobs(path, owner=GONE)
    a, b = submit(gone, "A", "B")
    claimed(gone)
    rows = Jobs(path)
    assert rows.claim("cpu", "r2") is None, "it still counts as running"
    assert rows.find_orphans() == (a,)
    assert [job.id for job in rows.interrupted()] == [a]
    assert claimed(rows, "r2").id == b, "what waited goes on"
    rows.resume(a)
    assert rows.interrupted() == ()


def test_a_job_that_was_to_be_cancelled_is_not_offered(path: Path) -> None:
    gone = Jobs(path, owner=GONE)
    (a,) = submit(gone, "A")
    claimed(gone)
    gone.cancel(a)
    rows = Jobs(path)
    rows.find_orphans()
    assert rows.interrupted() == ()
    assert state_of(rows, a) is JobState.CANCELLED


def test_a_job_whose_program_is_there_is_left_alone(path: Path, rows: Jobs) -> None:
    submit(rows, "A")
    claimed(rows)
    assert Jobs(path, owner="elsewhere/1/1").find_orphans() == ()


def test_an_owner_is_a_process_and_no_number() -> None:
    assert is_alive(this_program(), 1e6, 1.0)
    assert not is_alive(GONE, 0.0, 1.0), "the number was given again"
    free = max(psutil.pids()) + 1000
    assert not is_alive(this_program().replace(f"/{os.getpid()}/", f"/{free}/"), 0.0, 1.0)
    assert is_alive("elsewhere/1/1", 0.5, 1.0)
    assert not is_alive("elsewhere/1/1", 1.5, 1.0)


def test_parking_keeps_what_the_job_is(rows: Jobs) -> None:
    (a,) = submit(rows, "A")
    job = claimed(rows)
    rows.set_parked(job, interrupted=True)
    (left,) = rows.interrupted()
    assert (left.id, left.owner, left.state) == (a, "", JobState.PAUSED)


def test_two_programs_run_every_job_once(path: Path) -> None:
    make_old(path)
    count = 40
    rows = Jobs(path)
    submit(rows, *(str(number) for number in range(count)))
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "XY"
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    told = [program.communicate()[0].split() for program in programs]
    assert [program.returncode for program in programs] == [0, 0]
    assert sorted(int(number) for each in told for number in each) == [
        job.id for job in sorted(rows.jobs(), key=lambda job: job.id)
    ]
    assert all(len(rows.log(job.id)) == 1 for job in rows.jobs())
    library = Library(path)
    assert library.sentence == "", "the file is whole"
    assert {study.uid for study in library.recent_studies()} == {"1.2", "X", "Y"}


def test_a_library_that_cannot_be_used_has_a_queue_that_forgets(tmp_path: Path) -> None:
    for place in (None, tmp_path):
        rows = Jobs(place)
        submit(rows, "A")
        assert claimed(rows).title == "A"


def test_a_library_that_fails_says_so_in_a_sentence(rows: Jobs) -> None:
    with rows._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE jobs")
    with pytest.raises(LibraryError, match="try again"):
        rows.jobs()
    with pytest.raises(LibraryError, match="try again"):
        rows.cancel(1)
