"""Peak memory of the viewer's process with eight large images open.

Called as a program, this file is the process that is measured.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tables import Row, Table, at_most

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1e6


def measure() -> Table:
    """Open two studies of four 27 MB images, one after the other, all kept."""
    from studies import write_large_study

    with tempfile.TemporaryDirectory() as folder:
        paths = [
            str(path)
            for name in ("one", "two")
            for path in write_large_study(Path(folder) / name, "uncompressed")
        ]
        command = [sys.executable, str(Path(__file__).resolve()), *paths]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    empty, full = (float(value) / MEGABYTE for value in done.stdout.split()[-2:])
    rows = (
        Row("empty window", empty, "MB"),
        at_most("eight 4096 x 3328 16-bit images", full, "MB", 700),
    )
    return Table("Peak memory of the viewer's process", rows)


def _peak_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _child(names: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    from windows import new_window, seconds_to_paint, wait

    window = new_window()
    empty = _peak_bytes()
    paths = [Path(name) for name in names]
    seconds_to_paint(window, paths)
    for study in window.session.state.studies:
        for image in study.images:
            window.images.request([(image, 0)])
            wait(lambda image=image: window.images.is_settled(image))
    print(empty, _peak_bytes())
    window.close()


if __name__ == "__main__":
    _child(sys.argv[1:])
