"""What an update is: the portable archive of a version, described by its signed comment."""

from __future__ import annotations

import platform
import sys
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from ml.control import NOBODY
from ml.texts import mark
from viewer.core.errors import UpdateError
from viewer.core.home import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from ml.control import Control

NAME = "mammoscope"
# Windows and macOS call the same machines otherwise.
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SIGNATURE_ENDING = ".minisig"
# What else the disk must have: the new version's trial, and room for the user's work.
SPARE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Release:
    """What the trusted comment of an update says.

    Attributes
    ----------
    version
        As `packaging` reads it.
    edition
        ``"reader"`` or ``"studio"``.
    platform
        As `this_platform` names it.
    library
        The revision of the library's tables that it writes (`viewer.library.migrations`).
    size_bytes
        Unpacked.
    """

    version: str
    edition: str
    platform: str
    library: int
    size_bytes: int

    def to_comment(self) -> str:
        """The trusted comment."""
        fields = (
            ("version", self.version),
            ("edition", self.edition),
            ("platform", self.platform),
            ("library", self.library),
            ("bytes", self.size_bytes),
        )
        return " ".join((NAME, *(f"{name}={value}" for name, value in fields)))


def release_of_comment(comment: str) -> Release:
    """Read what a trusted comment says.

    Raises
    ------
    UpdateError
        Where it says something else.
    """
    name, *fields = comment.split() or [""]
    pairs = (each.partition("=") for each in fields)
    values = {key: value for key, _, value in pairs}
    try:
        release = Release(
            str(Version(values["version"])),
            values["edition"],
            values["platform"],
            int(values["library"]),
            int(values["bytes"]),
        )
    except (KeyError, ValueError) as error:
        raise UpdateError(_NO_UPDATE) from error
    if name != NAME:
        raise UpdateError(_NO_UPDATE)
    return release


def this_platform() -> str:
    """System and machine: ``"linux-x86_64"``."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def check_release(release: Release, running: str, *, older: bool = False) -> None:
    """Say why a version is not for this computer, or not for this program.

    Parameters
    ----------
    running
        The version of the program that runs.
    older
        Take one that is not newer, too.

    Raises
    ------
    UpdateError
        With the reason.
    """
    if release.platform != this_platform():
        raise UpdateError(
            mark("The update is for {theirs}, this computer is {ours}; fetch the one for it."),
            theirs=release.platform,
            ours=this_platform(),
        )
    if not older and not is_newer(release.version, running):
        raise UpdateError(
            mark(
                "The update is version {theirs}; {ours} runs already, so there is nothing to "
                "do."
            ),
            theirs=release.version,
            ours=running,
        )


def is_newer(version: str, than: str) -> bool:
    """Whether one version comes after another; nothing comes after one that is not known."""
    try:
        return Version(version) > Version(than)
    except InvalidVersion:
        return False


def unpack(file: BinaryIO, folder: Path, size_bytes: int, control: Control = NOBODY) -> None:
    """Unpack an update into a new folder, without the folder that it has at its top.

    Parameters
    ----------
    file
        Open at its beginning; a tar file, compressed or not.
    size_bytes
        What there is to unpack, for the progress.

    Raises
    ------
    UpdateError
        Where it is damaged, or holds no program.
    Stopped
        Where `control` ends it.
    OSError
        Where it cannot be written.
    """
    done = 0
    try:
        with tarfile.open(fileobj=file, mode="r:*") as archive:
            for member in archive:
                control.breathe()
                _extract(archive, member, folder)
                done += member.size
                control.say(min(done, size_bytes), size_bytes)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UpdateError(
            mark("The update cannot be unpacked; fetch it again."), detail=type(error).__name__
        ) from error
    if not (folder / PROGRAM).is_file():
        raise UpdateError(_NO_UPDATE)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    parts = PurePosixPath(member.name).parts[1:]
    if not parts:
        return
    name = PurePosixPath(*parts).as_posix()
    linked = member.linkname
    if member.islnk():
        linked = PurePosixPath(*PurePosixPath(linked).parts[1:]).as_posix()
    # Nothing outside the folder, no devices, no rights beyond the owner's.
    archive.extract(member.replace(name=name, linkname=linked), folder, filter="data")


_NO_UPDATE = mark(
    "This is no update of Mammoscope; choose the archive of a newer version, with its .minisig "
    "file beside it."
)
