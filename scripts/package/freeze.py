"""Freeze the reader's edition and have the frozen program test itself.

`.venv/bin/python scripts/package/freeze.py [--out DIR]` builds one folder, `DIR/mammoscope`,
and runs `mammoscope self-test` of it without a screen, an environment or a network. A line of
output that is not expected fails it, and so does a module that should have stayed out. Its home
holds a library of version 0.1.0, which it must bring up to date.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from left_out import LARGE

ROOT = Path(__file__).resolve().parents[2]
SPEC = Path(__file__).resolve().parent / "mammoscope.spec"
LONGEST_S = 120
LIBRARY = "library.sqlite"
# What Qt's offscreen platform says of every window.
EXPECTED = ("This plugin does not support propagateSizeHints()",)
# What a program needs of its surroundings; everything else of the developer's stays outside.
KEPT_VARIABLES = ("HOME", "LANG", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA")
# A library of before Alembic, as version 0.1.0 made it.
OLD_LIBRARY = """
    CREATE TABLE studies (uid TEXT PRIMARY KEY, path TEXT NOT NULL, label TEXT NOT NULL,
        opened_at TEXT NOT NULL) STRICT;
    CREATE TABLE readings (uid TEXT PRIMARY KEY, before TEXT NOT NULL, after TEXT NOT NULL,
        revealed_at TEXT NOT NULL, seen_before INTEGER NOT NULL, reader TEXT NOT NULL) STRICT;
    CREATE TABLE analyses (sop_instance_uid TEXT NOT NULL, model_hashes TEXT NOT NULL,
        content TEXT NOT NULL, PRIMARY KEY (sop_instance_uid, model_hashes)) STRICT;
    INSERT INTO studies VALUES ('1.2', '/a', 'A', '2026-01-01');
    PRAGMA user_version = 1;
"""


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
    found = [name for name in LARGE if (folder / "_internal" / name).exists()]
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
    home = out / "home"
    environment |= {"QT_QPA_PLATFORM": "offscreen", "MAMMOSCOPE_HOME": str(home)}
    make_old_library(home)
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
    check_library(home)
    return seconds


def make_old_library(home: Path) -> None:
    """Leave a library of version 0.1.0 where the frozen program looks for its own."""
    home.mkdir()
    with closing(sqlite3.connect(home / LIBRARY)) as connection:
        connection.executescript(OLD_LIBRARY)


def check_library(home: Path) -> None:
    """Look whether the library was brought up to date and then used.

    Raises
    ------
    FreezeError
        Where it was not.
    """
    with closing(sqlite3.connect(home / LIBRARY)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (studies,) = connection.execute("SELECT count(*) FROM studies").fetchone()
    if version < 2 or studies != 2:
        raise FreezeError(f"the library is of revision {version} and has {studies} studies")


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
