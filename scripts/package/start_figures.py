"""How long a start takes, frozen and not, and what the program takes at rest."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from freeze import PROGRAM
from virtual_screen import VirtualScreen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[2]
TIMES = 5
REST_S = 30.0
UNFROZEN = (sys.executable, "-m", "viewer")


def accepted_home(folder: Path) -> dict[str, str]:
    """Variables of a user who has started the program before, with a home in a folder."""
    sys.path.insert(0, str(ROOT))
    from viewer.core.first_run import accept
    from viewer.core.settings import Settings, write_settings

    home = folder / "home"
    home.mkdir(exist_ok=True)
    write_settings(accept(Settings(), datetime.now(UTC).date()), home / "settings.toml")
    return {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MAMMOSCOPE_HOME": str(home),
    }


def start_figures(folder: Path) -> dict[str, float]:
    """Seconds from nothing to the painted sample study, with cold files and with warm ones.

    Frozen and unfrozen starts take turns, so that a busy machine is as busy for both.
    """
    frozen: dict[bool, list[float]] = {True: [], False: []}
    unfrozen: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(TIMES):
        for cold in (True, False):
            if cold:
                forget([folder, ROOT / "viewer", ROOT / "ml", Path(sys.prefix).resolve()])
            frozen[cold].append(_start([str(folder / PROGRAM)]))
            unfrozen[cold].append(_start(UNFROZEN))
    best = {"frozen, cold": min(frozen[True]), "unfrozen, cold": min(unfrozen[True])}
    best |= {"frozen, warm": min(frozen[False]), "unfrozen, warm": min(unfrozen[False])}
    ratios = [mine / other for mine, other in zip(frozen[True], unfrozen[True], strict=True)]
    return {**best, "frozen / unfrozen": statistics.median(ratios)}


def forget(folders: Iterable[Path]) -> None:
    """Have the system forget files that it keeps in memory, as after it was switched on."""
    if not hasattr(os, "posix_fadvise"):
        return
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                file = os.open(path, os.O_RDONLY)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)


def _start(command: Sequence[str]) -> float:
    with VirtualScreen() as screen, tempfile.TemporaryDirectory() as place:
        environment = {**accepted_home(Path(place)), "DISPLAY": screen.name}
        start = time.perf_counter()
        with _program(command, environment) as program:
            screen.wait_for_study(program)
            seconds = time.perf_counter() - start
            _end(program)
    return seconds


def _program(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def _end(program: subprocess.Popen[str]) -> None:
    """End it with the processes that it started."""
    for child in psutil.Process(program.pid).children(recursive=True):
        child.kill()
    program.kill()
    program.wait()


def memory_at_rest(folder: Path) -> dict[str, float]:
    """MiB of the program's own memory (USS), half a minute after the sample was painted."""
    with VirtualScreen() as screen, tempfile.TemporaryDirectory() as place:
        environment = {**accepted_home(Path(place)), "DISPLAY": screen.name}
        with _program([str(folder / PROGRAM)], environment) as program:
            screen.wait_for_study(program)
            time.sleep(REST_S)
            window = psutil.Process(program.pid)
            children = window.children(recursive=True)
            own = window.memory_full_info().uss / 2**20
            others = sum(child.memory_full_info().uss for child in children) / 2**20
            _end(program)
    return {"window": own, "model process": others}
