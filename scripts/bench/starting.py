"""From nothing to the painted sample study, and to its first analysis, in a process of its own.

The child prints what it reached and when; called as a program, this file is that child.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import Row, Table, at_most

ROOT = Path(__file__).resolve().parents[2]
TIMES = 5


def measure() -> Table:
    """Start the viewer some times; the first start, whose files may be cold, counts too."""
    runs = [_start() for _ in range(TIMES)]
    painted = [run["painted"] for run in runs]
    analyzed = [run["analyzed"] for run in runs]
    cpu = statistics.median(run["cpu"] for run in runs)
    rows = (
        at_most("start to the painted sample study, best", min(painted), "s", 1.5),
        Row("start to the painted sample study, median", statistics.median(painted), "s"),
        Row("processor time of the viewer until then, median", cpu, "s"),
        at_most("start to the first analysis, best", min(analyzed), "s", 3.0),
        Row("start to the first analysis, median", statistics.median(analyzed), "s"),
        at_most("torch imported (1 is yes)", max(run["torch"] for run in runs), "", 0),
    )
    return Table(f"Start of the program, {TIMES} times", rows)


def _start() -> dict[str, float]:
    start = time.time()
    command = [sys.executable, str(Path(__file__).resolve()), str(start)]
    # A home of its own: the second start would find the first one's analysis.
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MAMMOSCOPE_HOME": home}
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment
        )
    pairs = (line.split() for line in done.stdout.splitlines() if line.count(" ") == 1)
    return {name: float(value) for name, value in pairs}


def _child(start: float) -> None:
    sys.path.insert(0, str(ROOT))
    from windows import application, wait

    from viewer.app import make_window

    application()
    window = make_window()
    window.show()
    window.open_sample()
    wait(lambda: window.session.state.study is not None and window.canvas.is_complete)
    window.canvas.repaint()
    print(f"painted {time.time() - start}")
    print(f"cpu {time.process_time()}")
    wait(lambda: window.session.state.analysis is not None)
    window.repaint()
    print(f"analyzed {time.time() - start}")
    print(f"torch {int('torch' in sys.modules)}")
    window.close()


if __name__ == "__main__":
    _child(float(sys.argv[1]))
