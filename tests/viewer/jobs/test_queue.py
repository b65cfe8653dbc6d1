"""Long jobs in processes of their own: run, paused, cancelled, killed, left behind, held."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from viewer.jobs.job_child import job_command, job_environment, spec_for
from viewer.jobs.queue import Change, JobQueue
from viewer.library.job_row import JobRow, JobState
from viewer.library.jobs import Jobs
from viewer.library.owners import this_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COMMAND = [sys.executable, "-m", "tests.viewer.jobs.work"]
WAIT_S = 20
ENDLESS = 100_000


class Office:
    """A queue, what it told, and the patience to wait for it."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str] = COMMAND,
        *,
        wait_s: float = WAIT_S,
        **options: bool,
    ) -> None:
        self.folder = folder
        self.path = folder / "library.sqlite"
        self.wait_s = wait_s
        self.queue = JobQueue(self.path, command, **options)
        self.changes: list[Change] = []
        self._told = threading.Event()
        self.queue.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        self.changes.append(change)
        self._told.set()

    def submit(self, kind: str, of: int = 0, lane: str = "cpu", **more: object) -> int:
        number = len(self.queue.jobs())
        spec = {"out": str(self.folder / f"out{number}"), "of": of, **more}
        return self.queue.submit(kind, f"job {number}", spec, lane)

    def count(self, of: int = ENDLESS, lane: str = "cpu") -> int:
        return self.submit("count", of, lane)

    def made(self, job_id: int) -> list[Path]:
        out = Path(str(self.row(job_id).spec["out"]))
        return sorted(out.iterdir()) if out.exists() else []

    def row(self, job_id: int) -> JobRow:
        job = self.queue.job(job_id)
        assert job is not None
        return job

    def state(self, job_id: int) -> JobState:
        return self.row(job_id).state

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + self.wait_s
        while not condition():
            assert time.monotonic() < end, [(j.title, j.state) for j in self.queue.jobs()]
            self._told.clear()
            self._told.wait(0.02)

    def wait_for(self, job_id: int, state: JobState) -> None:
        self.wait(lambda: self.state(job_id) is state)

    def wait_to_work(self, job_id: int) -> None:
        before = len(self.made(job_id))
        self.wait(lambda: len(self.made(job_id)) > before + 1)

    def is_still(self, job_id: int) -> bool:
        before = len(self.made(job_id))
        time.sleep(0.15)
        return len(self.made(job_id)) == before


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.queue.start()
    yield made
    made.queue.close()


def test_a_job_runs_to_its_end_and_tells_all(office: Office) -> None:
    job_id = office.submit("count", 5, device="auto")
    office.wait_for(job_id, JobState.DONE)
    row = office.row(job_id)
    assert (row.done, row.of, row.news, row.owner) == (5, 5, {"path": "4"}, "")
    assert row.memory_bytes > 1e6
    assert row.started_at
    assert row.ended_at
    news = [change.news for change in office.changes if change.news]
    assert news == [{"path": str(number)} for number in range(5)]
    assert [line.sentence for line in office.queue.log(job_id)] == ["device cpu, "]
    (pid,) = {each.read_text() for each in office.made(job_id)}
    assert int(pid) != os.getpid()


def test_jobs_of_one_device_take_turns_and_devices_do_not_wait(office: Office) -> None:
    first, second = office.count(30), office.count(3)
    other = office.count(3, "cuda:0")
    office.wait_for(other, JobState.DONE)
    office.wait_for(second, JobState.DONE)
    assert office.state(first) is JobState.DONE
    assert office.row(second).started_at >= office.row(first).ended_at


def test_a_paused_job_waits_and_goes_on_in_its_process(office: Office) -> None:
    job_id = office.count()
    office.wait_to_work(job_id)
    office.queue.pause(job_id)
    office.wait_for(job_id, JobState.PAUSED)
    assert office.is_still(job_id)
    office.queue.resume(job_id)
    office.wait_to_work(job_id)
    assert office.state(job_id) is JobState.RUNNING
    assert len({each.read_text() for each in office.made(job_id)}) == 1


def test_a_paused_job_makes_room_for_the_next(office: Office) -> None:
    first = office.count()
    office.wait_to_work(first)
    office.queue.pause(first)
    office.wait_for(first, JobState.PAUSED)
    second = office.count(3)
    office.wait_for(second, JobState.DONE)
    assert office.row(first).owner == ""
    assert not office.row(first).interrupted
    office.queue.resume(first)
    office.wait_to_work(first)
    assert len({each.read_text() for each in office.made(first)}) == 2


def test_cancelling_ends_that_job_and_no_other(office: Office) -> None:
    first, second, third = office.count(), office.count(3), office.count(3)
    office.wait_to_work(first)
    office.queue.cancel(second)
    assert office.state(first) is JobState.RUNNING
    office.queue.cancel(first)
    office.wait_for(first, JobState.CANCELLED)
    assert office.queue.log(first)[-1].sentence == "stopped in good order"
    office.wait_for(third, JobState.DONE)
    assert office.made(second) == []


def test_a_paused_job_can_be_cancelled(office: Office) -> None:
    job_id = office.count()
    office.wait_to_work(job_id)
    office.queue.pause(job_id)
    office.wait_for(job_id, JobState.PAUSED)
    office.queue.cancel(job_id)
    office.wait_for(job_id, JobState.CANCELLED)


def test_a_killed_job_fails_with_a_sentence_and_can_be_tried_again(office: Office) -> None:
    job_id = office.count(40)
    office.wait_to_work(job_id)
    os.kill(int(office.made(job_id)[0].read_text()), signal.SIGKILL)
    office.wait_for(job_id, JobState.FAILED)
    assert "ended suddenly" in office.row(job_id).sentence
    kept = len(office.made(job_id))
    office.queue.retry(job_id)
    office.wait_for(job_id, JobState.DONE)
    assert 0 < kept < len(office.made(job_id)) == 40


def test_why_a_job_fails_is_told(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    told = {
        "fail": "There is no pack.",
        "full": "The disk is full; what is finished stays. Make room and try again.",
        "bug": "The program made a mistake in this job; see its log. What is finished stays.",
        "reach": "The program made a mistake in this job; see its log. What is finished stays.",
        "die": "The job's process ended suddenly",
        "sing": "This edition of the program cannot do jobs of the kind sing.",
    }
    ids = {kind: office.submit(kind) for kind in told}
    for kind, job_id in ids.items():
        office.wait_for(job_id, JobState.FAILED)
        assert office.row(job_id).sentence.startswith(told[kind])
    (line,) = office.queue.log(ids["bug"])
    assert "KeyError in run:" in line.sentence
    assert "NetworkForbidden" in office.queue.log(ids["reach"])[0].sentence
    assert "SECRET" not in caplog.text + line.sentence
    caplog.clear()


def test_a_job_that_failed_does_so_no_more_when_tried_again(office: Office) -> None:
    job_id = office.submit("fail")
    office.wait_for(job_id, JobState.FAILED)
    office.queue.retry(job_id)
    office.wait_for(job_id, JobState.DONE)
    assert office.row(job_id).sentence == ""


def test_a_process_that_cannot_be_started_is_a_sentence(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.queue = JobQueue(office.path, [str(tmp_path / "nothing")])
    office.queue.start()
    job_id = office.count()
    office.wait_for(job_id, JobState.FAILED)
    assert "cannot be started" in office.row(job_id).sentence
    office.queue.close()


def test_an_analysis_goes_first(office: Office) -> None:
    job_id = office.count()
    office.wait_to_work(job_id)
    first, second = office.queue.hold(), office.queue.hold("cpu")
    office.wait(lambda: office.is_still(job_id))
    first.release()
    first.release()
    assert office.is_still(job_id)
    with second:
        pass
    office.wait_to_work(job_id)
    with office.queue.hold("cuda:0"):
        office.wait_to_work(job_id)


def test_a_job_that_does_not_ask_stands_still_where_it_is(office: Office) -> None:
    job_id = office.submit("deaf", 100)
    office.wait_to_work(job_id)
    with office.queue.hold():
        office.wait(lambda: office.is_still(job_id))
        time.sleep(0.3)
        assert office.is_still(job_id)
    office.wait_for(job_id, JobState.DONE)
    assert len(office.made(job_id)) == 100


def test_a_job_that_stands_still_can_be_cancelled(office: Office) -> None:
    job_id = office.submit("deaf", 100)
    office.wait_to_work(job_id)
    with office.queue.hold():
        office.wait(lambda: office.is_still(job_id))
        office.queue.cancel(job_id)
        office.wait_for(job_id, JobState.CANCELLED)


def test_a_cancelled_job_that_does_not_ask_is_ended_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.jobs.job_driver._CANCEL_S", 0.1)
    first, second = office.submit("deaf", ENDLESS), office.count(3)
    office.wait_to_work(first)
    office.queue.cancel(first)
    office.wait_for(first, JobState.CANCELLED)
    made = len(office.made(first))
    office.wait_for(second, JobState.DONE)
    assert len(office.made(first)) == made


def test_a_job_that_starts_while_an_analysis_runs_waits(office: Office) -> None:
    with office.queue.hold():
        job_id = office.count(3)
        office.wait_for(job_id, JobState.RUNNING)
        time.sleep(0.3)
        assert len(office.made(job_id)) <= 1
    office.wait_for(job_id, JobState.DONE)


def test_closing_pauses_what_runs_and_it_is_offered_again(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.queue.start()
    job_id, next_id = office.count(), office.count(3)
    office.wait_to_work(job_id)
    pid = int(office.made(job_id)[0].read_text())
    begun = time.monotonic()
    office.queue.close()
    # It waits for the job, and not until it is killed.
    assert time.monotonic() - begun < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    again = Office(tmp_path)
    assert [job.id for job in again.queue.interrupted()] == [job_id]
    again.queue.start()
    again.wait_for(next_id, JobState.DONE)
    assert again.state(job_id) is JobState.PAUSED
    again.queue.resume(job_id)
    again.wait_to_work(job_id)
    again.queue.close()


def left_behind(path: Path, spec: dict[str, object]) -> int:
    """A job that runs for a program that is gone."""
    gone = Jobs(path, owner=this_program().rsplit("/", 1)[0] + "/1.00")
    job_id = gone.submit("count", "A", spec, "cpu")
    gone.claim("cpu", "r")
    gone.close()
    return job_id


@pytest.mark.parametrize("resumes", [False, True])
def test_what_a_killed_program_left_is_found(tmp_path: Path, resumes: bool) -> None:
    job_id = left_behind(tmp_path / "library.sqlite", {"out": str(tmp_path / "out"), "of": 3})
    office = Office(tmp_path, resume_interrupted=resumes)
    office.queue.start()
    office.wait_for(job_id, JobState.DONE if resumes else JobState.PAUSED)
    assert bool(office.queue.interrupted()) is not resumes
    office.queue.close()


def test_a_viewer_that_is_killed_takes_its_job_along(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.viewer.jobs.test_queue import Office\n"
        "office = Office(Path(sys.argv[1]))\n"
        "office.queue.start()\n"
        "office.wait_to_work(office.count())\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    viewer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert viewer.stdout is not None
    viewer.stdout.readline()
    viewer.kill()
    viewer.wait()
    viewer.stdout.close()
    office = Office(tmp_path)
    office.queue.start()
    office.wait(lambda: bool(office.queue.interrupted()))
    (job,) = office.queue.interrupted()
    office.wait(lambda: office.is_still(job.id))
    office.queue.close()


def test_a_row_that_another_program_cancels_is_cancelled_here(office: Office) -> None:
    job_id = office.count()
    office.wait_to_work(job_id)
    other = JobQueue(office.path, COMMAND)
    other.cancel(job_id)
    office.wait_for(job_id, JobState.CANCELLED)
    other.close()


def test_nothing_is_heard_after_unsubscribing(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path / "library.sqlite")
    heard: list[Change] = []
    unsubscribe = queue.subscribe(heard.append)
    job_id = queue.submit("generate", "A", {})
    queue.cancel(job_id)
    queue.cancel(job_id)
    queue.remove_ended()
    assert [change.job_id for change in heard] == [job_id, job_id, 0]
    unsubscribe()
    unsubscribe()
    queue.submit("generate", "A", {})
    assert len(heard) == 3
    queue.close()


def test_a_job_sees_its_device_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert job_environment("cuda:1")["CUDA_VISIBLE_DEVICES"] == "1"
    assert job_environment("cpu", {"A": "b"})["A"] == "b"
    assert job_environment("cpu")["MAMMOSCOPE_DEVICE"] == "cpu"
    assert spec_for({"device": "auto", "seed": 1}, "cuda:1") == {"device": "cuda", "seed": 1}
    assert spec_for({"seed": 1}, "cpu") == {"seed": 1}
    assert job_command()[-1] == "job"
