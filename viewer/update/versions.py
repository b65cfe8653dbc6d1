"""Which versions were put beside the installed one, and which of them is started.

What is installed stays as it is; an update lies in the user's own folder, and a file says which
one is started. The last one put there is; going back takes it from the list.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from ml.files import write_json
from viewer.core.home import PROGRAM, VERSIONS_FILE
from viewer.update.package import is_newer

if TYPE_CHECKING:
    from pathlib import Path

# Beside the installed one and the one in use: what the user may still go back to.
KEPT = 2


@dataclass(frozen=True, slots=True)
class Installed:
    """A version that an update brought.

    Attributes
    ----------
    version, edition
        As `viewer.update.package.Release` has them.
    folder
        Its name, in the folder of versions.
    library
        The revision of the library's tables that it writes.
    library_before
        That of the version before it: to where going back takes the library.
    signed_by
        The number of the publisher's key.
    """

    version: str
    edition: str
    folder: str
    library: int
    library_before: int
    signed_by: str


@dataclass(frozen=True, slots=True)
class Versions:
    """All that updates brought, the oldest first.

    Attributes
    ----------
    going_back
        The last one is to be left at the next start.
    """

    installed: tuple[Installed, ...] = ()
    going_back: bool = False

    @property
    def last(self) -> Installed | None:
        """The one that is started; None: the installed program."""
        return self.installed[-1] if self.installed else None


def read_versions(folder: Path) -> Versions:
    """Read what lies in the folder of versions; nothing where nothing is understood."""
    try:
        document = cast(
            "dict[str, Any]", json.loads((folder / VERSIONS_FILE).read_text("utf-8"))
        )
        installed = tuple(Installed(**each) for each in document["installed"])
        return Versions(installed, bool(document["going_back"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Then what is installed is started, as if there had been no update.
        return Versions()


def write_versions(folder: Path, versions: Versions) -> None:
    """Write the list, whole or not at all.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    installed = [asdict(each) for each in versions.installed]
    write_json(
        folder / VERSIONS_FILE, {"installed": installed, "going_back": versions.going_back}
    )


def to_start(folder: Path, own: str) -> Path | None:
    """The program to start instead of the installed one; None: itself.

    Parameters
    ----------
    own
        Version of the installed program. Where it is as new as the update, the update is left
        alone: somebody installed a newer one since.
    """
    last = read_versions(folder).last
    if last is None or not is_newer(last.version, own):
        return None
    program = folder / last.folder / PROGRAM
    return program if program.is_file() else None


def with_version(versions: Versions, new: Installed) -> Versions:
    """The list with one more at its end; an older one of the same number is gone."""
    others = tuple(each for each in versions.installed if each.version != new.version)
    return Versions((*others, new)[-KEPT:])


def without_last(versions: Versions) -> Versions:
    """The list without the one in use."""
    return Versions(versions.installed[:-1])


def going_back(versions: Versions, *, wanted: bool) -> Versions:
    """The list, with the wish to leave the last one at the next start, or without."""
    return replace(versions, going_back=wanted and bool(versions.installed))


def leftovers(folder: Path, versions: Versions) -> tuple[Path, ...]:
    """Folders that the list does not name: of updates that were left or never finished."""
    named = {each.folder for each in versions.installed}
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(each for each in folder.iterdir() if each.is_dir() and each.name not in named)
    )
