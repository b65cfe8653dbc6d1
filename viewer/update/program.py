"""The program that runs, the keys that it trusts, and how it starts another version."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.places import RESOURCES
from viewer.core.report import program_version
from viewer.library.migrations import MIGRATIONS
from viewer.update.signature import read_public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from viewer.update.signature import PublicKey

# The folder of the installed program, for the version that it started.
STARTED_FROM = "MAMMOSCOPE_STARTED_FROM"
# A file of this name beside the installed program: whoever looks after it wants no updates.
SWITCH = "updates-off"
PUBLISHER = RESOURCES / "publisher"
# PyInstaller's: the program that is started is another one, not a child of this one.
_ANOTHER = "PYINSTALLER_RESET_ENVIRONMENT"
_LIBRARIES = "LD_LIBRARY_PATH"


@dataclass(frozen=True, slots=True)
class Program:
    """What runs.

    Attributes
    ----------
    version
        Its version.
    folder
        Of its executable; None: it runs from its source.
    installed
        The folder of what was installed; `folder` where no update is in use.
    library
        The revision of the library's tables that it writes.
    """

    version: str
    folder: Path | None
    installed: Path | None
    library: int

    @property
    def takes_updates(self) -> bool:
        """Whether whoever looks after the installed program lets updates be."""
        return self.installed is None or not (self.installed / SWITCH).exists()


def running_program(environment: Mapping[str, str] = os.environ) -> Program:
    """The program that runs."""
    folder = own_folder()
    started_from = environment.get(STARTED_FROM, "")
    installed = Path(started_from) if folder and started_from else folder
    return Program(program_version(), folder, installed, len(MIGRATIONS))


def own_folder() -> Path | None:
    """The folder of the executable; None where the program runs from its source."""
    return Path(sys.executable).parent if getattr(sys, "frozen", False) else None


def trusted_keys(further: str = "", folder: Path = PUBLISHER) -> tuple[PublicKey, ...]:
    """The publisher's keys that came with the program, and those that the user trusts.

    Parameters
    ----------
    further
        Public keys with blanks between.

    Raises
    ------
    UpdateError
        Where one is no public key.
    """
    shipped = (path.read_text("utf-8") for path in sorted(folder.glob("*.pub")))
    return tuple(read_public_key(text) for text in (*shipped, *further.split()))


def environment_of_another(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The surroundings in which another version is started: nothing in them is ours."""
    made = {key: value for key, value in environment.items() if not key.startswith("_PYI_")}
    before = made.pop(f"{_LIBRARIES}_ORIG", None)
    if before:
        made[_LIBRARIES] = before
    elif getattr(sys, "frozen", False):
        made.pop(_LIBRARIES, None)
    made.pop(STARTED_FROM, None)
    return made | {_ANOTHER: "1"}
