"""Freeze an edition and have the frozen program test itself.

`.venv/bin/python scripts/package/freeze.py [--edition reader|studio] [--out DIR]` builds one
folder, `DIR/EDITION/mammoscope`, writes into it the licences and the list of what is bundled,
and runs it in bare surroundings: no environment, no screen, no network. A line of output that
is not expected fails it, and so does a module that should have stayed out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bundled import OURS, find_parts, read_entries, strangers
from frozen_program import FrozenError, Program, generate, screen, test_itself, train
from left_out import EDITIONS, LARGE, READER, STUDIO
from licences import LicenceError, write_licences
from parts_list import write_parts_list
from shrink import ShrinkError, forget_places, shrink
from signing import add_publisher

from ml.program import COMMIT, commit_of

ROOT = Path(__file__).resolve().parents[2]
SPEC = Path(__file__).resolve().parent / "mammoscope.spec"
PROGRAM = "mammoscope.exe" if os.name == "nt" else "mammoscope"
BUNDLED = "bundled.json"
INSIDE = "_internal"


def build(edition: str, out: Path, publisher: Path | None = None) -> Path:
    """Build an edition's folder, complete with its papers, and return it.

    Parameters
    ----------
    publisher
        A public key of minisign whose updates it takes; None: nobody's.

    Raises
    ------
    FrozenError
        Where a step fails, with its last lines.
    """
    out.mkdir(parents=True, exist_ok=True)
    _do([sys.executable, str(ROOT / "scripts" / "compile_texts.py")])
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(out), "--workpath", str(out / "work")]
    own = ["--edition", edition, "--bundled", str(out / BUNDLED)]
    _do([*command, *places, str(SPEC), "--", *own])
    folder = out / "mammoscope"
    shrink(folder)
    try:
        forget_places(folder)
    except ShrinkError as error:
        raise FrozenError(str(error)) from error
    if publisher is not None:
        add_publisher(folder, publisher)
    _write_papers(folder, out / BUNDLED)
    return folder


def _do(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise FrozenError(f"{Path(command[-1]).name} could not be done:\n{tail}")


def _write_papers(folder: Path, bundled: Path) -> None:
    entries = read_entries(bundled)
    if elsewhere := strangers(entries):
        raise FrozenError(f"this was taken from another copy of the program: {elsewhere[0]}")
    parts = find_parts(entries)
    try:
        write_licences(parts, folder / INSIDE / "resources" / "licences")
    except LicenceError as error:
        raise FrozenError(str(error)) from error
    write_parts_list(parts, folder, version(OURS), source_date().isoformat())
    # So that a model says of its own training which code it was.
    if commit := commit_of(ROOT):
        (folder / INSIDE / "resources" / COMMIT).write_text(f"{commit}\n", "utf-8")


def source_date() -> datetime:
    """When the source was written last: the same source gives the same packages."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not told:
        command = ["git", "log", "-1", "--format=%ct"]
        told = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True
        ).stdout.strip()
    return datetime.fromtimestamp(int(told or 0), UTC)


def check_contents(folder: Path, edition: str) -> None:
    """Look for what should have stayed out of the frozen folder, and what must be in it.

    Raises
    ------
    FrozenError
        Names what is there, or is not.
    """
    inside = folder / INSIDE
    found = [name for name in LARGE if edition == READER and (inside / name).exists()]
    found += [str(path.relative_to(folder)) for path in inside.rglob("*.po")]
    if found:
        raise FrozenError(f"these should have stayed out: {', '.join(found)}")
    sources = (ROOT / "resources" / "translations").rglob("*.po")
    wanted = [path.with_suffix(".mo").relative_to(ROOT) for path in sources]
    missing = [str(path) for path in wanted if not (inside / path).exists()]
    if missing:
        raise FrozenError(f"these should be in it: {', '.join(missing)}")


def _is_own(path: Path) -> bool:
    """Whether a file takes room of its own: PyInstaller links libraries, too."""
    return path.is_file() and not path.is_symlink()


def size_mib(folder: Path) -> float:
    """Measure the size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if _is_own(path)) / 2**20


def check_program(folder: Path, edition: str) -> dict[str, float]:
    """Run the frozen program through its work; return the seconds of each part."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as work:
        program = Program([str(folder / PROGRAM)], Path(work).resolve())
        seconds["self-test"] = test_itself(program)
        samples = folder / INSIDE / "resources" / "samples"
        seconds["screening of the sample"] = screen(program, samples)
        if edition == STUDIO:
            seconds["two generated images"] = generate(program)
            seconds["one training step"] = train(program)
    return seconds


def main() -> int:
    """Build, look inside, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edition", choices=EDITIONS, default=READER)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--publisher", type=Path, metavar="PUB", help="whose updates it takes")
    parser.add_argument("--only-check", action="store_true", help="what was frozen before")
    given = parser.parse_args()
    out = given.out.resolve() / given.edition
    try:
        start = time.perf_counter()
        folder = out / "mammoscope"
        if not given.only_check:
            build(given.edition, out, given.publisher)
        print(f"built {folder} in {time.perf_counter() - start:.0f} s", flush=True)
        check_contents(folder, given.edition)
        print(f"size {size_mib(folder):.0f} MiB", flush=True)
        for what, seconds in check_program(folder, given.edition).items():
            print(f"{what}: passed in {seconds:.1f} s", flush=True)
    except FrozenError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
