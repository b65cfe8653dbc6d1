"""Set up what is missing and run every check and test: `python scripts/test.py`."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 the user's own Python may be any
    sys.exit("Mammoscope needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

import os
import subprocess
from pathlib import Path

from setup_environment import OFFLINE, SetupError, prepare_environment
from system_packages import (
    missing_oracles,
    missing_qt_packages,
    provide,
    skipped_line,
)


def main() -> int:
    """Set up, bring the tools that tests measure against, run the checks."""
    try:
        python = prepare_environment()
        provide(missing_qt_packages(), "Qt needs system libraries to open a window.")
        provide(list(missing_oracles().values()), "Some tests need tools of the system.")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    missing = missing_oracles()
    if missing and os.environ.get("CI"):
        print(f"With CI set no test may be skipped. {skipped_line(missing)}", file=sys.stderr)
        return 1
    check = Path(__file__).resolve().parent / "check.py"
    code = subprocess.call([str(python), str(check)], env={**os.environ, **OFFLINE})
    if missing:
        print(skipped_line(missing), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
