"""The process of a long job: how it waits, stops and tells, without a process."""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING

import pytest

from ml.control import Control, Stopped
from ml.errors import MammoError
from ml.exchange import read_message, write_message
from ml.job_process import KINDS, JobControl, JobProcess, find_work, peak_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

WAIT_S = 10
HERE = {name: f"{__name__}:{name}" for name in ("short_of_memory", "two_steps")}


class Heard:
    """What a control told, and an event for each kind of reply."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, dict[str, object]]] = []
        self._news = threading.Condition()

    def __call__(self, kind: str, **content: object) -> None:
        with self._news:
            self.replies.append((kind, content))
            self._news.notify_all()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.replies if kind != "memory"]

    def wait_for(self, kind: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: kind in self.kinds, WAIT_S)


def short_of_memory(spec: Mapping[str, object], control: Control) -> None:
    raise MemoryError


def two_steps(spec: Mapping[str, object], control: Control) -> None:
    control.say(1, 2, {"file": spec["file"]})
    control.breathe()
    control.say(2, 2)


def replies_of(kind: str, *requests: str) -> list[dict[str, object]]:
    """What a process answers to a ``run`` when `requests` came before."""
    replies, asked = io.BytesIO(), io.BytesIO()
    for request in requests:
        write_message(asked, {"type": request})
    asked.seek(0)
    process = JobProcess(replies, HERE)
    if requests:
        process.receive(asked)
    process.run({"type": "run", "kind": kind, "spec": {"file": "a.dcm"}})
    replies.seek(0)
    return list(iter(lambda: read_message(replies), None))  # type: ignore[arg-type]


def breathing(control: JobControl) -> tuple[threading.Thread, list[str]]:
    ended: list[str] = []

    def breathe() -> None:
        try:
            control.breathe()
            ended.append("on")
        except Stopped:
            ended.append("stopped")

    thread = threading.Thread(target=breathe)
    thread.start()
    return thread, ended


def test_work_waits_until_every_reason_is_gone() -> None:
    heard = Heard()
    control = JobControl(heard)
    control.take("hold")
    thread, ended = breathing(control)
    heard.wait_for("held")
    control.take("pause")
    heard.wait_for("paused")
    control.take("release")
    assert ended == []
    control.take("resume")
    thread.join(WAIT_S)
    assert ended == ["on"]
    assert heard.kinds == ["held", "paused", "going"]


def test_a_job_that_waits_can_be_stopped() -> None:
    heard = Heard()
    control = JobControl(heard)
    control.take("pause")
    thread, ended = breathing(control)
    heard.wait_for("paused")
    control.take("stop")
    thread.join(WAIT_S)
    assert ended == ["stopped"]


def test_an_unknown_request_changes_nothing() -> None:
    control = JobControl(Heard())
    control.take("dance")
    control.breathe()


def test_all_news_is_told_and_numbers_now_and_then() -> None:
    heard = Heard()
    control = JobControl(heard)
    for done in range(100):
        control.say(done, 100, {"file": done} if done % 50 == 7 else None)
    control.say(100, 100)
    told = [content["done"] for _, content in heard.replies]
    assert len(told) < 10
    assert told[-1] == 100
    assert {7, 57} <= set(told)
    assert all(isinstance(each["worked_s"], float) for _, each in heard.replies)


def test_time_in_which_the_work_waited_does_not_count() -> None:
    heard = Heard()
    control = JobControl(heard)
    control.take("pause")
    thread, _ = breathing(control)
    heard.wait_for("paused")
    threading.Event().wait(0.3)
    control.take("resume")
    thread.join(WAIT_S)
    control.say(1, 1)
    assert float(str(heard.replies[-1][1]["worked_s"])) < 0.3


def test_a_run_tells_how_it_goes_and_ends() -> None:
    replies = replies_of("two_steps")
    assert [r["type"] for r in replies if r["type"] != "memory"] == [
        "started",
        "progress",
        "progress",
        "done",
    ]
    assert replies[0]["pid"] == os.getpid()
    assert replies[1]["news"] == {"file": "a.dcm"}


def test_a_viewer_that_is_gone_stops_the_work() -> None:
    assert [r["type"] for r in replies_of("two_steps", "pause")][-1] == "stopped"


def test_want_of_memory_is_a_sentence() -> None:
    error = replies_of("short_of_memory")[-1]["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "ModelMemoryError"
    assert "ask for less at once" in error["template"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_kinds_are_where_the_table_says(kind: str) -> None:
    assert callable(find_work(KINDS, kind))


def test_an_edition_without_a_kind_says_so() -> None:
    kinds = {"room": "ml.nowhere.at:all", "file": "ml.nowhere:run"}
    for kind in (*kinds, "other"):
        with pytest.raises(MammoError, match=f"edition .* {kind}"):
            find_work(kinds, kind)


def test_memory_is_of_this_process() -> None:
    assert 1e6 < peak_memory_bytes() < 1e12
