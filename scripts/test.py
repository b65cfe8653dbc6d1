"""Set up what is missing and run every check and test: `python scripts/test.py`.

With `--cluster` it runs the tests of a Ray cluster and of a PostgreSQL ledger instead, which no
other run does: what they need is installed for them alone, in `.venv-cluster`.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 the user's own Python may be any
    sys.exit("Mammoscope needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

import os
import subprocess
from pathlib import Path

from setup_environment import OFFLINE, ROOT, SetupError, prepare_cluster, prepare_environment
from system_packages import (
    missing_oracles,
    missing_qt_packages,
    missing_server,
    provide,
    skipped_line,
)

OF_CLUSTER = ("test_cluster.py", "test_ledger.py", "test_lost_database.py")


def main() -> int:
    """Run what is asked for."""
    if sys.argv[1:] not in ([], ["--cluster"]):
        print("usage: python scripts/test.py [--cluster]", file=sys.stderr)
        return 2
    return cluster() if sys.argv[1:] else everything()


def cluster() -> int:
    """Set up a cluster's environment and server, run their tests, slow ones too."""
    try:
        python = prepare_cluster()
        provide(list(missing_server().values()), "A cluster's ledger is in PostgreSQL.")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    tests = [str(Path("tests", "ml", "screen", name)) for name in OF_CLUSTER]
    command = [str(python), "-m", "pytest", "-q", "-rs", "-m", "slow or not slow", *tests]
    code = subprocess.call(command, cwd=ROOT, env={**os.environ, **OFFLINE})
    if missing := missing_server():
        print(skipped_line(missing), flush=True)
    return code


def everything() -> int:
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
