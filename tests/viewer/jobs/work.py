"""Jobs for the tests of the queue: small work that does what it is told in its spec."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ml import job_process
from ml.control import Control, Stopped
from ml.errors import MammoError

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("count", "deaf", "fail", "full", "bug", "reach", "die")
STEP_S = 0.01


def count(spec: Mapping[str, object], control: Control) -> None:
    """Count to a number, writing each into a folder; go on with what is there."""
    out, of = Path(str(spec["out"])), int(str(spec["of"]))
    out.mkdir(parents=True, exist_ok=True)
    try:
        for number in range(len(list(out.iterdir())), of):
            control.breathe()
            (out / f"{number:04d}").write_text(str(os.getpid()))
            control.say(number + 1, of, {"path": str(number)})
            time.sleep(STEP_S)
    except Stopped:
        control.log("stopped in good order")
        raise
    control.log(f"device {spec.get('device')}, {os.environ['CUDA_VISIBLE_DEVICES']}")


def deaf(spec: Mapping[str, object], control: Control) -> None:
    """Count as `count` does, and ask only in the end, as an import does not."""
    out, of = Path(str(spec["out"])), int(str(spec["of"]))
    out.mkdir(parents=True)
    for number in range(of):
        (out / f"{number:04d}").write_text(str(os.getpid()))
        time.sleep(STEP_S)
    control.breathe()


def fail(spec: Mapping[str, object], control: Control) -> None:
    """Fail with a sentence, the first time."""
    mark = Path(str(spec["out"]))
    if not mark.exists():
        mark.write_text("")
        raise MammoError("There is no {what}.", what="pack")


def full(spec: Mapping[str, object], control: Control) -> None:
    """Find the disk full."""
    raise OSError(errno.ENOSPC, "No space", "/patients/TEST^SECRET")


def bug(spec: Mapping[str, object], control: Control) -> None:
    """Have a bug."""
    raise KeyError("TEST^SECRET")


def reach(spec: Mapping[str, object], control: Control) -> None:
    """Reach for the network."""
    # What Python says before it connects; the guard of the tests' own children comes sooner.
    sys.audit("socket.connect", None, ("127.0.0.1", 9))


def die(spec: Mapping[str, object], control: Control) -> None:
    """End without a word."""
    os._exit(137)


if __name__ == "__main__":
    sys.exit(job_process.main({name: f"tests.viewer.jobs.work:{name}" for name in KINDS}))
