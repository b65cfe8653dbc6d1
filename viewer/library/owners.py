"""Which program runs a job, and whether it is still there.

A process's number alone says little: numbers are given again. An owner is the machine's name,
the number, and when that process started.
"""

from __future__ import annotations

import os
import platform

import psutil

# The start is told in hundredths of a second; a clock that was set shifts it on some systems.
_SAME_START_S = 2.0


def this_program() -> str:
    """Name this process as an owner."""
    return _owner(os.getpid(), psutil.Process().create_time())


def is_alive(owner: str, silent_s: float, patience_s: float) -> bool:
    """Whether the program that an owner names still runs.

    Parameters
    ----------
    silent_s
        How long nothing was heard of it; asked only of a program on another machine.
    patience_s
        How long such a program may be silent.
    """
    machine, number, start = owner.rsplit("/", 2)
    if machine != platform.node():
        return silent_s <= patience_s
    try:
        begun = psutil.Process(int(number)).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # Somebody else's process: it is there, and that is all that can be known.
        return silent_s <= patience_s
    return abs(begun - float(start)) < _SAME_START_S


def _owner(number: int, start: float) -> str:
    return f"{platform.node()}/{number}/{start:.2f}"
