"""Set up what is missing and start the viewer: `python scripts/run.py [PATH ...]`.

Without a PATH it opens the embedded sample study. Python 3.11 or newer, nothing else needed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 the user's own Python may be any
    sys.exit("Mammoscope needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

from setup_environment import SetupError, is_ready, prepare_environment, replace_program


def main() -> int:
    """Set up, then become the viewer."""
    try:
        ready = is_ready()
        python = prepare_environment()
        if not ready:
            _provide_qt_libraries()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return replace_program([str(python), "-m", "viewer", *sys.argv[1:]])


def _provide_qt_libraries() -> None:
    from system_packages import missing_qt_packages, provide

    provide(missing_qt_packages(), "Qt needs system libraries to open a window.")


if __name__ == "__main__":
    sys.exit(main())
