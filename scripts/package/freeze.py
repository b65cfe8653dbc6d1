"""Freeze the reader's edition and have the frozen program test itself.

`.venv/bin/python scripts/package/freeze.py [--out DIR]` builds one folder, `DIR/mammoscope`,
and runs `mammoscope self-test` of it without a screen, an environment or a network. A line of
output that is not expected fails it, and so does a module that should have stayed out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = Path(__file__).resolve().parent / "mammoscope.spec"
LEFT_OUT = ("torch", "torchvision", "ultralytics", "diffusers", "transformers", "nvidia")
LONGEST_S = 120
# What Qt's offscreen platform says of every window.
EXPECTED = ("This plugin does not support propagateSizeHints()",)
# What a program needs of its surroundings; everything else of the developer's stays outside.
KEPT_VARIABLES = ("HOME", "LANG", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA")


class FreezeError(Exception):
    """The frozen program is not as it should be."""


def build(out: Path) -> Path:
    """Build the folder and return it.

    Raises
    ------
    FreezeError
        Where PyInstaller fails, with its last lines.
    """
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(out), "--workpath", str(out / "work")]
    done = subprocess.run(
        [*command, *places, str(SPEC)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise FreezeError("\n".join(done.stderr.splitlines()[-30:]))
    return out / "mammoscope"


def check_contents(folder: Path) -> None:
    """Look for what should have stayed out of the frozen folder.

    Raises
    ------
    FreezeError
        Names what is there.
    """
    found = [name for name in LEFT_OUT if (folder / "_internal" / name).exists()]
    if found:
        raise FreezeError(f"these should have stayed out: {', '.join(found)}")


def _is_own(path: Path) -> bool:
    """Whether a file takes room of its own: PyInstaller links libraries, too."""
    return path.is_file() and not path.is_symlink()


def size_mib(folder: Path) -> float:
    """Measure the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if _is_own(path)) / 2**20


def self_test(folder: Path, out: Path) -> float:
    """Run the frozen program's self-test in bare surroundings; return its seconds.

    Raises
    ------
    FreezeError
        Where it fails, says what was not expected, or leaves a result out.
    """
    name = "mammoscope.exe" if os.name == "nt" else "mammoscope"
    environment = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "MAMMOSCOPE_HOME": str(out / "home")}
    start = time.perf_counter()
    done = subprocess.run(
        [str(folder / name), "self-test", "--out", str(out)],
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        env=environment,
        cwd=out,
    )
    seconds = time.perf_counter() - start
    unexpected = unexpected_lines(done.stdout + done.stderr, out)
    if done.returncode != 0 or unexpected:
        said = "\n".join(unexpected or (done.stdout + done.stderr).splitlines())
        raise FreezeError(f"the self-test ended with {done.returncode} and said:\n{said}")
    check_results(out)
    return seconds


def unexpected_lines(output: str, out: Path) -> list[str]:
    """Pick the lines that are neither expected nor name a result."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return [line for line in lines if line not in EXPECTED and str(out) not in line]


def check_results(out: Path) -> None:
    """Look at what the self-test wrote.

    Raises
    ------
    FreezeError
        Where a picture or the findings are missing or empty.
    """
    picture = out / "screenshot.png"
    if not picture.exists() or picture.read_bytes()[:4] != b"\x89PNG":
        raise FreezeError("the self-test wrote no screenshot.png")
    images = json.loads((out / "findings.json").read_text(encoding="utf-8"))["images"]
    if len(images) != 4:
        raise FreezeError(f"findings.json has {len(images)} images, not 4")


def main() -> int:
    """Build, look inside, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    out = parser.parse_args().out.resolve()
    try:
        start = time.perf_counter()
        folder = build(out)
        print(f"built {folder} in {time.perf_counter() - start:.0f} s")
        check_contents(folder)
        print(f"size {size_mib(folder):.0f} MiB")
        with tempfile.TemporaryDirectory() as results:
            print(f"self-test passed in {self_test(folder, Path(results)):.1f} s")
    except FreezeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
