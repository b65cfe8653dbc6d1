"""`mammoscope update`: take an update from a file, or leave it, without a window."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.texts import translate
from viewer.core.home import find_home
from viewer.core.settings import read_settings
from viewer.update.install import install_update, leave_update, version_in_use
from viewer.update.program import running_program, trusted_keys
from viewer.update.versions import read_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE = "example: mammoscope update mammoscope-0.2.0-linux-x86_64.tar.xz"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code, as `ml.cli` has them."""
    parser = argparse.ArgumentParser(
        prog="mammoscope update",
        description="Take a newer version from its archive, whose signature lies beside it; "
        "without arguments: say which version is in use.",
        epilog=_EXAMPLE,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the archive")
    what.add_argument("--back", action="store_true", help="go back to the version before")
    # The version that is left is called so by the one before it.
    what.add_argument("--library-to", type=int, metavar="REVISION", help=argparse.SUPPRESS)
    parser.add_argument(
        "--trust", action="append", default=[], metavar="KEY", help="a publisher's public key"
    )
    parser.add_argument("--older", action="store_true", help="take a version that is not newer")
    try:
        given = parser.parse_args(list(arguments))
    except SystemExit as leave:
        return int(leave.code or 0)
    try:
        _do(given)
    except MammoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _do(given: argparse.Namespace) -> None:
    home = find_home()
    folder, program = home.versions, running_program()
    if given.library_to is not None:
        from viewer.library.migrating import take_back

        take_back(home.library, given.library_to)
    elif given.back:
        left = leave_update(folder)
        now, _ = version_in_use(folder, program)
        _say(
            translate("Version {left} was left; version {now} is started from now on."),
            left=left.version,
            now=now,
        )
    elif given.file:
        settings, _ = read_settings(home.settings)
        trusted = trusted_keys(" ".join((settings.trusted_keys, *given.trust)))
        new = install_update(given.file, folder, program, trusted, older=given.older)
        _say(translate("Version {version} is started from now on."), version=new.version)
    else:
        _tell_versions(folder, version_in_use(folder, program)[0])


def _tell_versions(folder: Path, now: str) -> None:
    _say(translate("Version {version} is in use."), version=now)
    last = read_versions(folder).last
    if last and last.version == now:
        _say(translate("It came as an update, signed with the key {key}."), key=last.signed_by)


def _say(template: str, **values: str) -> None:
    sys.stdout.write(template.format(**values) + "\n")
