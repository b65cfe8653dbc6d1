"""Trying what was packed, as a user has it: install, use, upgrade, remove."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian_root import HOME, RootError
from frozen_program import (
    IMAGES,
    Program,
    check_findings,
    generate,
    train,
    unexpected_lines,
)
from left_out import READER, STUDIO
from linux_packages import NAMES
from start_figures import accepted_home
from virtual_screen import ScreenError, VirtualScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from debian_root import DebianRoot

SAMPLES = "/opt/mammoscope/_internal/resources/samples"
LONGEST_S = 600.0
LIBRARY = ".local/share/mammoscope/library.sqlite"
VERSIONS = ".local/share/mammoscope/versions"
SETTINGS = ".config/mammoscope/settings.toml"
DEFAULTS = "usr/share/applications/mimeinfo.cache"


@dataclass(frozen=True)
class Update:
    """An update to try.

    Attributes
    ----------
    archive
        With its signature beside it.
    key
        The public line of who signed.
    old, new
        The version before it and its own.
    """

    archive: Path
    key: str
    old: str
    new: str


def try_package(
    root: DebianRoot,
    package: Path,
    higher: Path,
    films: Path | None,
    say: Callable[[str], None],
    update: Update,
    edition: str = READER,
) -> dict[str, float]:
    """Install a package, use it, update it, install a higher version over it, remove it.

    Parameters
    ----------
    higher
        The same with a higher version.
    films
        Real films to open besides the sample, a folder for each study; None: there are none.
    edition
        The studio also generates and trains.

    Raises
    ------
    RootError, ScreenError, FrozenError
        Where something is not as it should be.
    """
    # Of the recommended ones: their triggers have to find the program's menu entry.
    root.as_root(
        "apt-get", "install", "-y", "-q", "--no-install-recommends", "desktop-file-utils"
    )
    before = root.files_of_package()
    free = _used_kib(root)
    say("install")
    root.install(package)
    figures = {"MiB with what it depends on": (_used_kib(root) - free) / 1024}
    added = root.files_of_package() - before
    _check_menu(root, there=True)
    figures |= _use(root, films, say)
    if edition == STUDIO:
        figures |= _make_and_teach(root, say)
    figures |= _update(root, update, say)
    say("upgrade")
    kept = {name: root.home(name).read_bytes() for name in (LIBRARY, SETTINGS)}
    root.install(higher)
    if "99.0" not in root.as_root("dpkg-query", "--show", NAMES[edition]):
        raise RootError("the higher version did not replace the lower one")
    _compare(root, kept, "the upgrade")
    run(root, "self-test", "--out", f"{HOME}/self-test-again")
    say("remove")
    kept = {name: root.home(name).read_bytes() for name in (LIBRARY, SETTINGS)}
    root.as_root("apt-get", "purge", "-y", "-q", NAMES[edition])
    _compare(root, kept, "the removal")
    left = {name for name in added & root.files_of_package() if "mammoscope" in name}
    if left:
        raise RootError(f"the removal left {', '.join(sorted(left)[:5])}")
    _check_menu(root, there=False)
    return figures


def _use(root: DebianRoot, films: Path | None, say: Callable[[str], None]) -> dict[str, float]:
    """What a user does, as an ordinary one, without a network."""
    figures: dict[str, float] = {}
    with VirtualScreen() as screen:
        say("self-test, on a screen")
        figures["self-test s"] = run(
            root, "self-test", "--out", f"{HOME}/self-test", display=screen.name
        )
        check_findings(root.home("self-test", "findings.json"), IMAGES)
        run(root, "--help")
        given = SAMPLES
        count = IMAGES
        if films is not None:
            given = root.give(films, "films")
            count = len(list(films.rglob("*.dcm")))
        say(f"analyze and screen {count} images")
        figures["analyze s"] = run(root, "analyze", given, "--json", f"{HOME}/findings.json")
        check_findings(root.home("findings.json"), count)
        figures["screen s"] = run(root, "screen", given, "--out", f"{HOME}/screened")
        _check_screened(root, count)
        say("the window: open, quit")
        figures["window s"] = open_and_quit(root, screen, films)
    return figures


def _make_and_teach(root: DebianRoot, say: Callable[[str], None]) -> dict[str, float]:
    """Two generated images and one step of a training, as the user."""
    say("two images, one step of a training")
    work = root.home("trial")
    program = Program(root.command("mammoscope"), work, Path(HOME) / work.name)
    root.as_root("chown", "-R", "reader:reader", str(program.seen))
    return {"generate s": generate(program), "train s": train(program)}


def _update(root: DebianRoot, update: Update, say: Callable[[str], None]) -> dict[str, float]:
    """Take an update from a file, use it, and go back: as the user, without a network."""
    say("an update from a file, and the way back")
    given = root.home(update.archive.name)
    shutil.copy(update.archive, given)
    shutil.copy(f"{update.archive}.minisig", root.home())
    kept = {name: root.home(name).read_bytes() for name in (LIBRARY, SETTINGS)}
    file = f"{HOME}/{given.name}"
    _ask(root, "which is not trusted here", "update", file, code=1)
    with given.open("r+b") as opened:
        opened.seek(1000)
        right = opened.read(1)
        _put(opened, b"!" if right != b"!" else b"?")
        _ask(
            root, "not what its publisher signed", "update", file, "--trust", update.key, code=1
        )
        _put(opened, right)
    start = time.perf_counter()
    _ask(root, f"Version {update.new} is started", "update", file, "--trust", update.key)
    figures = {"update s": time.perf_counter() - start}
    _compare(root, kept, "the update")
    _ask(root, f"mammoscope {update.new}", "--version")
    figures["self-test of the update s"] = run(root, "self-test", "--out", f"{HOME}/updated")
    with VirtualScreen() as screen:
        figures["window of the update s"] = open_and_quit(root, screen, None)
    kept = {name: root.home(name).read_bytes() for name in (LIBRARY, SETTINGS)}
    _ask(root, f"version {update.old} is started", "update", "--back")
    _ask(root, f"mammoscope {update.old}", "--version")
    _compare(root, kept, "the way back")
    left = [path.name for path in root.home(VERSIONS).iterdir() if path.is_dir()]
    if left:
        raise RootError(f"the way back left {', '.join(left)}")
    given.unlink()
    return figures


def _put(opened: BinaryIO, byte: bytes) -> None:
    opened.seek(1000)
    opened.write(byte)
    opened.flush()


def _ask(root: DebianRoot, expected: str, *arguments: str, code: int = 0) -> None:
    """Run the installed program as the user, and look for words in the one line it says."""
    ended, said = _ended(root, *arguments)
    if ended != code or expected not in said or len(said.splitlines()) != 1:
        raise _unlike(arguments, ended, said)


def _ended(root: DebianRoot, *arguments: str, display: str = "") -> tuple[int, str]:
    """How the installed program ends that the user runs, and all that it says."""
    command = root.command("mammoscope", *arguments, display=display)
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=LONGEST_S
    )
    return done.returncode, done.stdout + done.stderr


def _unlike(arguments: tuple[str, ...], ended: int, said: str) -> RootError:
    return RootError(f"`mammoscope {' '.join(arguments)}` ended with {ended} and said:\n{said}")


def _check_screened(root: DebianRoot, count: int) -> None:
    rows = root.home("screened", "results.csv").read_text(encoding="utf-8-sig").splitlines()
    done = sum(",done," in row for row in rows)
    if done != count:
        raise RootError(f"{done} of {count} images were screened")


def run(root: DebianRoot, *arguments: str, display: str = "") -> float:
    """Run the installed program as the user, and return its seconds.

    Raises
    ------
    RootError
        Where it fails, or says what was not expected.
    """
    start = time.perf_counter()
    ended, said = _ended(root, *arguments, display=display)
    seconds = time.perf_counter() - start
    wanted = arguments[0] == "--help"
    if ended != 0 or (not wanted and unexpected_lines(said, root.home())):
        raise _unlike(arguments, ended, said)
    return seconds


def open_and_quit(root: DebianRoot, screen: VirtualScreen, films: Path | None) -> float:
    """Open a study in the window, see it painted, and quit with the keys for it."""
    # She has accepted what is asked at the first start.
    settings = root.home(SETTINGS)
    settings.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        home = Path(accepted_home(Path(place))["MAMMOSCOPE_HOME"])
        settings.write_bytes((home / settings.name).read_bytes())
    root.as_root("chown", "-R", "reader:reader", HOME)
    studies = sorted(path.name for path in films.iterdir() if path.is_dir()) if films else []
    given = [f"{HOME}/films/{studies[0]}", "--together"] if studies else []
    command = root.command("mammoscope", *given, display=screen.name)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        seconds = screen.wait_for_study(program)
        screen.press("ctrl+q")
        try:
            said, _ = program.communicate(timeout=60)
        except subprocess.TimeoutExpired as error:
            program.kill()
            raise ScreenError("the window did not close within a minute of Ctrl+Q") from error
    unexpected = unexpected_lines(said, root.home())
    if program.returncode != 0 or unexpected:
        raise ScreenError(f"the window ended with {program.returncode} and said:\n{said}")
    return seconds


def _compare(root: DebianRoot, kept: dict[str, bytes], what: str) -> None:
    for name, content in kept.items():
        if not root.home(name).exists() or root.home(name).read_bytes() != content:
            raise RootError(f"{what} changed {name} in the user's home")


def _check_menu(root: DebianRoot, *, there: bool) -> None:
    """Look whether the desktop's tables name the program for DICOM files."""
    path = root.folder / DEFAULTS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if ("application/dicom=mammoscope.desktop" in text) is not there:
        state = "do not name" if there else "still name"
        raise RootError(f"the desktop's tables {state} the program for DICOM files")


def _used_kib(root: DebianRoot) -> int:
    command = ["du", "--summarize", "--one-file-system", "--block-size=1024"]
    command += [str(root.folder / top) for top in ("etc", "opt", "usr")]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sum(int(line.split()[0]) for line in said.splitlines())


def try_archive(
    root: DebianRoot, archive: Path, package: Path, say: Callable[[str], None]
) -> None:
    """Unpack the portable archive in a user's home and have it test itself.

    Parameters
    ----------
    package
        Names the packages that the system has to have.
    """
    say("the portable archive")
    field = ["dpkg-deb", "--field", str(package), "Depends"]
    depends = subprocess.run(field, check=True, capture_output=True, text=True).stdout
    names = [each.split("|")[0].split("(")[0].strip() for each in depends.split(",")]
    root.as_root("apt-get", "install", "-y", "-q", "--no-install-recommends", *names)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(root.home())], check=True)
    (folder,) = [path.name for path in root.home().iterdir() if path.is_dir()]
    link = root.folder / "usr" / "bin" / "mammoscope"
    link.symlink_to(f"{HOME}/{folder}/mammoscope")
    run(root, "self-test", "--out", f"{HOME}/self-test")
    check_findings(root.home("self-test", "findings.json"), IMAGES)
