"""The process of one long job, as the viewer sees it: requests in, replies out, and its end."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, cast

import psutil

from ml.exchange import read_message, write_message
from viewer.jobs.models import OFFLINE, program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml.exchange import Message

# As `ml.infer.choice` reads it, which this room must not import.
DEVICE_VARIABLE = "MAMMOSCOPE_DEVICE"


class JobChild:
    """A process that does one job and ends.

    Parameters
    ----------
    command
        What to start; None: this program as ``job``.
    environment
        All of the process's.
    heard
        Called on another thread: with every reply, and with None when the process is gone.

    Raises
    ------
    OSError
        Where it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str] | None,
        environment: Mapping[str, str],
        heard: Callable[[Message | None], None],
    ) -> None:
        self._heard = heard
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            list(command or job_command()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        threading.Thread(target=self._receive, name="job", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, request: str, **content: object) -> None:
        """Send a request; one to a process that is gone is lost."""
        with self._lock, suppress(OSError, ValueError):
            write_message(cast("BinaryIO", self._process.stdin), {"type": request, **content})

    def freeze(self) -> None:
        """Have the process stand still where it is."""
        with suppress(psutil.Error):
            psutil.Process(self.pid).suspend()

    def thaw(self) -> None:
        """Have it go on."""
        with suppress(psutil.Error):
            psutil.Process(self.pid).resume()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the process's end; False where it goes on."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _receive(self) -> None:
        replies = cast("BinaryIO", self._process.stdout)
        try:
            while (message := read_message(replies)) is not None:
                self._heard(message)
        except (OSError, ValueError):
            # What came is no message: the process is not what it should be.
            self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast("BinaryIO", pipe).close()
        self._heard(None)


def job_command() -> list[str]:
    """How this program starts itself as the process of a job."""
    return program("job")


def job_environment(lane: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a job on a lane's device: the others are not seen there.

    Parameters
    ----------
    more
        Added to it.
    """
    kind, _, number = lane.partition(":")
    environment = {**os.environ, **OFFLINE}
    if kind == "cpu":
        environment |= {DEVICE_VARIABLE: "cpu", "CUDA_VISIBLE_DEVICES": ""}
    elif number and "CUDA_VISIBLE_DEVICES" not in environment:
        environment["CUDA_VISIBLE_DEVICES"] = number
    return environment | dict(more or {})


def spec_for(spec: Mapping[str, object], lane: str) -> dict[str, object]:
    """What a job is given: its spec, on the lane's device where the spec names one."""
    device = {"device": lane.partition(":")[0]} if "device" in spec else {}
    return {**spec, **device}
