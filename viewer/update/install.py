"""Take an update, and leave it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml.control import NOBODY
from ml.texts import mark
from viewer.core.errors import UpdateError
from viewer.core.home import PROGRAM
from viewer.update.package import (
    SIGNATURE_ENDING,
    SPARE_BYTES,
    check_release,
    is_newer,
    release_of_comment,
    unpack,
)
from viewer.update.program import environment_of_another
from viewer.update.signature import check_signature, read_signature
from viewer.update.versions import (
    Installed,
    leftovers,
    read_versions,
    with_version,
    without_last,
    write_versions,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from io import BufferedReader

    from ml.control import Control
    from viewer.update.package import Release
    from viewer.update.program import Program
    from viewer.update.signature import PublicKey, Signature

# The new version opens and analyzes the sample; a slow, busy computer takes a minute.
LONGEST_TRIAL_S = 600.0
# An update that is being unpacked by another window is no leftover.
_YOUNG_S = 3600.0
_SAID_LETTERS = 2000


def version_in_use(folder: Path, program: Program) -> tuple[str, int]:
    """Version that is started now, and the library's revision that it writes."""
    last = read_versions(folder).last
    if last is not None and is_newer(last.version, program.version):
        return last.version, last.library
    return program.version, program.library


def install_update(
    file: Path,
    folder: Path,
    program: Program,
    trusted: Sequence[PublicKey],
    control: Control = NOBODY,
    *,
    older: bool = False,
) -> Installed:
    """Check an update, unpack it, have it test itself, and have it started from now on.

    Parameters
    ----------
    file
        The archive; its signature lies beside it.
    folder
        Of the versions (`viewer.core.home.Home.versions`).
    trusted
        Whose updates are taken.
    older
        Take a version that is not newer, too.

    Raises
    ------
    UpdateError
        With what is wrong and what to do; the version in use stays in use.
    Stopped
        Where `control` ends it.
    """
    _check_place(program)
    signature = _signature_beside(file)
    try:
        with file.open("rb") as opened:
            signer = check_signature(opened, signature, trusted)
            release = release_of_comment(signature.comment)
            running, library = version_in_use(folder, program)
            check_release(release, running, older=older)
            opened.seek(0)
            place = _unpacked(opened, release, folder, control)
    except OSError as error:
        raise UpdateError(
            mark("The update cannot be read or unpacked ({why}); nothing was changed."),
            why=error.strerror or str(error),
        ) from error
    new = Installed(
        release.version, release.edition, place.name, release.library, library, signer.number
    )
    _try_out(place, new, folder, control)
    return new


def _check_place(program: Program) -> None:
    if program.folder is None:
        raise UpdateError(
            mark("This program runs from its source; it is updated there, with git pull.")
        )
    if not program.takes_updates:
        raise UpdateError(
            mark(
                "Whoever looks after this computer has switched updates off; ask for a newer "
                "version."
            )
        )


def _signature_beside(file: Path) -> Signature:
    beside = file.with_name(file.name + SIGNATURE_ENDING)
    try:
        return read_signature(beside.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UpdateError(
            mark(
                "There is no {name} beside the update: put the signature there that is handed "
                "out with it."
            ),
            name=beside.name,
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UpdateError(
            mark("{name} cannot be read; fetch it again."), name=beside.name
        ) from error


def _unpacked(file: BufferedReader, release: Release, folder: Path, control: Control) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    needed = release.size_bytes + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UpdateError(
            mark("The update needs {needed} MB of the disk, {free} MB are free; make room."),
            needed=round(needed / 1e6),
            free=round(free / 1e6),
        )
    place = Path(tempfile.mkdtemp(prefix=f"{release.version}-", dir=folder))
    with _gone_where_it_fails(place):
        unpack(file, place, release.size_bytes, control)
    return place


@contextmanager
def _gone_where_it_fails(place: Path) -> Generator[None]:
    """Remove what was unpacked where it is not put into use."""
    try:
        yield
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _try_out(place: Path, new: Installed, folder: Path, control: Control) -> None:
    """Have the new version test itself; it is started from now on, or gone."""
    try:
        with _gone_where_it_fails(place):
            control.breathe()
            _test(place / PROGRAM, new.version)
            control.breathe()
            write_versions(folder, with_version(read_versions(folder), new))
    except OSError as error:
        raise UpdateError(
            mark("The update cannot be put into use ({why}); nothing was changed."),
            why=error.strerror or str(error),
        ) from error


def _test(program: Path, version: str) -> None:
    with tempfile.TemporaryDirectory() as work:
        told = _run(program, ["--version"], Path(work))
        if told.returncode == 0 and told.stdout.split()[-1:] == [version]:
            told = _run(program, ["self-test", "--out", str(Path(work) / "out")], Path(work))
            if told.returncode == 0:
                return
    raise UpdateError(
        mark(
            "Version {version} does not work on this computer: its test of itself failed. The "
            "version that you have stays."
        ),
        detail=(told.stdout + told.stderr)[-_SAID_LETTERS:],
        version=version,
    )


def _run(
    program: Path, arguments: Sequence[str], work: Path
) -> subprocess.CompletedProcess[str]:
    surroundings = {
        **environment_of_another(),
        # A home of its own: neither library nor settings are touched.
        "MAMMOSCOPE_HOME": str(work / "home"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [str(program), *arguments]
    try:
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=surroundings,
            cwd=work,
            timeout=LONGEST_TRIAL_S,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", "it took too long")


def leave_update(folder: Path) -> Installed:
    """Go back to the version before the last update, at once; no window of it may be open.

    The last version takes the library's tables back to those that the one before it knows; a
    copy of what the library was lies beside it.

    Returns
    -------
    Installed
        What was left.

    Raises
    ------
    UpdateError
        Where there is nothing to leave, or the library could not be taken back; then all stays.
    """
    versions = read_versions(folder)
    last = versions.last
    if last is None:
        raise UpdateError(mark("No update is in use, so there is nothing to go back from."))
    if last.library > last.library_before:
        _take_library_back(folder / last.folder / PROGRAM, last)
    try:
        write_versions(folder, without_last(versions))
    except OSError as error:
        raise UpdateError(
            mark("The list of versions cannot be written ({why}); the update stays in use."),
            why=error.strerror or str(error),
        ) from error
    shutil.rmtree(folder / last.folder, ignore_errors=True)
    return last


def _take_library_back(program: Path, last: Installed) -> None:
    command = [str(program), "update", "--library-to", str(last.library_before)]
    try:
        told = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment_of_another(),
        )
        said, failed = told.stderr.strip(), told.returncode != 0
    except OSError as error:
        said, failed = error.strerror or str(error), True
    if failed:
        raise UpdateError(
            mark("The library cannot be taken back to the older version: {why}"),
            why=said[-_SAID_LETTERS:] or str(last.library),
        )


def _clear(folder: Path) -> None:
    """Remove what updates that never finished left, and versions that are kept no longer."""
    for each in leftovers(folder, read_versions(folder)):
        if time.time() - each.stat().st_mtime > _YOUNG_S:
            shutil.rmtree(each, ignore_errors=True)


def is_running(program: Path) -> bool:
    """Whether a process of this program runs, beside this one."""
    import psutil

    others = (
        each for each in psutil.process_iter(["exe", "status"]) if each.pid != os.getpid()
    )
    return any(
        each.info["exe"] == str(program) and each.info["status"] != psutil.STATUS_ZOMBIE
        for each in others
    )
