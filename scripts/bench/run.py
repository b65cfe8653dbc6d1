"""Measure everything: `.venv/bin/python scripts/bench/run.py [NAME ...] [--json FILE]`.

Run it on an idle machine, without names for all benchmarks. Goals that are missed are printed,
not failed: what was measured is written down, whatever it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

from tables import Table, as_text, write_json

ROOT = Path(__file__).resolve().parents[2]
BENCHES = (
    "starting",
    "opening",
    "dragging",
    "analyzing",
    "end_to_end",
    "screen",
    "cropping",
    "simulating",
    "generating",
    "training",
    "sampling",
    "yielding",
    "cancelling",
    "memory",
)


def main() -> int:
    """Run the benchmarks and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    tables: list[Table] = []
    for name in given.names or BENCHES:
        tables.append(import_module(name).measure())
        print(as_text(tables[-1]), end="\n\n", flush=True)
    if given.json:
        write_json(given.json, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
