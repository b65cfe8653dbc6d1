from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from viewer.jobs.job import Job
from viewer.jobs.lanes import Lanes

WAIT_S = 20


@pytest.fixture
def lanes():
    made = Lanes()
    yield made
    made.close()


def test_work_runs_on_a_thread_of_its_lane(lanes: Lanes) -> None:
    name = lanes.submit(Job("", lambda: threading.current_thread().name)).result(WAIT_S)
    assert name.startswith("disk")


def test_an_error_reaches_the_one_who_waits(lanes: Lanes) -> None:
    with pytest.raises(ZeroDivisionError):
        lanes.submit(Job("", lambda: 1 // 0)).result(WAIT_S)


def test_a_job_ends_when_the_future_that_it_returned_does(lanes: Lanes) -> None:
    inner: Future[int] = Future()
    outer = lanes.submit(Job("", lambda: inner, "model"))
    lanes.submit(Job("", lambda: 0, "model")).result(WAIT_S)
    assert not outer.done()
    inner.set_result(7)
    assert outer.result(WAIT_S) == 7


def test_cancelling_reaches_the_future_that_it_returned(lanes: Lanes) -> None:
    inner: Future[int] = Future()
    outer = lanes.submit(Job("", lambda: inner, "model"))
    lanes.submit(Job("", lambda: 0, "model")).result(WAIT_S)
    outer.cancel()
    assert inner.cancelled()


def test_a_job_that_waits_is_never_started_after_it_was_cancelled(lanes: Lanes) -> None:
    go, ran = threading.Event(), []
    first = lanes.submit(Job("", lambda: go.wait(WAIT_S), "model"))
    second = lanes.submit(Job("", lambda: ran.append(1), "model"))
    second.cancel()
    go.set()
    first.result(WAIT_S)
    lanes.submit(Job("", lambda: 0, "model")).result(WAIT_S)
    assert ran == []


def test_what_the_library_is_to_keep_is_done_in_order_and_to_the_last() -> None:
    lanes, go, kept = Lanes(), threading.Event(), list[int]()
    lanes.submit(Job("", lambda: go.wait(WAIT_S), "library"))
    for number in range(20):
        lanes.submit(Job("", lambda number=number: kept.append(number), "library"))
    threading.Timer(0.1, go.set).start()
    lanes.close()
    assert kept == list(range(20))
