"""What the installed program does first: start the version that an update brought, if any.

An ordinary start looks for one file that is not there, and goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from viewer.core.home import PROGRAM, VERSIONS_FILE, find_home

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of what runs already a part, or about versions themselves.
STAYS = frozenset(("worker", "job", "update"))
# How long a version that is left may take to close its windows.
PATIENCE_S = 15.0
_POLL_S = 0.2


def start_update(arguments: Sequence[str]) -> None:
    """Become the version that an update brought; return where there is none to become.

    Parameters
    ----------
    arguments
        Of the command line, passed on as they are.
    """
    folder = find_home().versions
    if set(arguments[:1]) & STAYS or not (folder / VERSIONS_FILE).exists():
        return
    own = _installed_folder()
    if own is None:
        return
    from viewer.core.report import program_version
    from viewer.update.versions import read_versions, to_start

    if read_versions(folder).going_back:
        _go_back(folder)
    program = to_start(folder, program_version())
    if program is not None:
        _become(program, arguments, own)


def start_again() -> None:
    """Start the program that is installed once more, as one of its own: this one ends."""
    from viewer.update.program import environment_of_another, running_program

    program = running_program()
    if program.installed is None:
        command = [sys.executable, "-m", "viewer"]
    else:
        command = [str(program.installed / PROGRAM)]
    subprocess.Popen(command, env=environment_of_another(), start_new_session=True)


def _installed_folder() -> Path | None:
    """The folder of the installed program; None where this is none."""
    from viewer.update.program import STARTED_FROM, own_folder

    own = own_folder()
    started_from = os.environ.get(STARTED_FROM, "")
    if started_from and own is not None and Path(started_from) != own:
        return None
    return own


def _go_back(folder: Path) -> None:
    from viewer.core.errors import UpdateError
    from viewer.update.install import is_running, leave_update
    from viewer.update.versions import going_back, read_versions, write_versions

    versions = read_versions(folder)
    until = time.monotonic() + PATIENCE_S
    last = versions.last
    while last and is_running(folder / last.folder / PROGRAM):
        if time.monotonic() > until:
            return
        time.sleep(_POLL_S)
    try:
        leave_update(folder)
    except UpdateError as error:
        sys.stderr.write(f"{error}\n")
        # Said once; the version stays in use.
        write_versions(folder, going_back(versions, wanted=False))


def _become(program: Path, arguments: Sequence[str], own: Path) -> None:
    from viewer.update.program import STARTED_FROM, environment_of_another

    surroundings = {**environment_of_another(), STARTED_FROM: str(own)}
    command = [str(program), *arguments]
    if sys.platform != "win32":
        os.execve(program, command, surroundings)
    # There a process cannot become another one; a console would not wait for it.
    raise SystemExit(subprocess.run(command, check=False, env=surroundings).returncode)
