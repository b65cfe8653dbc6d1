"""Run every check and test in order and stop at the first that fails.

Run it with the environment's Python: `.venv/bin/python scripts/check.py`, or let
`python scripts/test.py` do so. `slow` and `gpu` tests stay out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from setup_environment import OFFLINE

ROOT = Path(__file__).resolve().parent.parent
# Test files side by side, each with some 2 GB at its most; a file's tests share what they make.
SIDE_BY_SIDE = min(os.cpu_count() or 1, 4)


def steps() -> list[tuple[str, list[str]]]:
    """List the checks: what to call each, and its command."""
    python = sys.executable
    suffix = ".exe" if os.name == "nt" else ""
    # Beside the interpreter as it was called: `resolve` would leave the environment.
    lint_imports = str(Path(python).parent / f"lint-imports{suffix}")
    return [
        ("ruff check", [python, "-m", "ruff", "check", "--quiet", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "--quiet", "."]),
        ("pyright", [python, "-m", "pyright", "--warnings"]),
        ("import directions", [lint_imports]),
        (
            "tests",
            [python, "-m", "pytest", "-q", "-n", str(SIDE_BY_SIDE), "--dist", "loadfile"],
        ),
    ]


def main() -> int:
    """Run the checks; return the exit code of the first that fails, or 0."""
    # Each process one thread: there is one for each core already.
    environment = {**os.environ, **OFFLINE, "OMP_NUM_THREADS": "1"}
    for name, command in steps():
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        code = subprocess.call(command, cwd=ROOT, env=environment)
        if code != 0:
            print(f"== {name} failed", flush=True)
            return code
        if name != "tests":  # pytest's own summary stays the last line
            print(f"   fine ({time.perf_counter() - start:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
