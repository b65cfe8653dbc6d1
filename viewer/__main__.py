"""The program's one door: a window, or a command without one.

Nothing heavy is imported before it is known what is wanted.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viewer.core.start import Start

USAGE = """\
usage: mammoscope [--together] [--new-window] [PATH ...]
                                              the viewer; --together hangs all as one study.
                                              A window that is open takes the files, but for
                                              --new-window
       mammoscope self-test --out DIR         open and analyze the sample study, then leave
       mammoscope analyze PATH ... --json FILE
       mammoscope screen FOLDER --out DIR [--watch]
       mammoscope phantom --count N --seed S --out DIR
       mammoscope generate {--prompt TEXT,--plan MANIFEST} --out DIR
       mammoscope import-dataset FORM FOLDER [--out DIR] [--patient PATTERN]
       mammoscope find-duplicates --manifest FILE [--other FILE]
       mammoscope merge-datasets MANIFEST ... --out DIR
       mammoscope audit MANIFEST [--json FILE] [--override REASON]
       mammoscope train {detector,calcifications,classifier,generator} --manifest FILE --out DIR
       mammoscope helps MANIFEST --role ROLE --out DIR
       mammoscope evaluate --manifest FILE [--model NAME@VERSION] --json FILE
       mammoscope models {list,show,versions,drift,add,compare,promote,back,
                         shadow}
       mammoscope update [FILE | --back]      a newer version from its signed archive
       mammoscope --version

Mammoscope opens mammograms and has models look at them. Research use only.
example: mammoscope study/
`mammoscope COMMAND --help` says more about a command.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    multiprocessing.freeze_support()
    given = sys.argv[1:] if arguments is None else arguments
    if getattr(sys, "frozen", False):
        from viewer.update.starter import start_update

        start_update(given)
    _find_own_models()
    first = given[0] if given else ""
    if first in _SHORT:
        return _SHORT[first](given[1:])
    if first == "worker":
        from ml.worker import main as work

        return work()
    if first == "job":
        from ml.job_process import main as run_job

        return run_job()
    return _command_or_viewer(given)


def _find_own_models() -> None:
    """For this process and those that it starts: where the user's own models are."""
    from ml.places import OWN_MODELS_VARIABLE
    from viewer.core.home import find_home

    os.environ.setdefault(OWN_MODELS_VARIABLE, str(find_home().models))


def _command_or_viewer(given: list[str]) -> int:
    from ml.cli import COMMANDS
    from ml.cli import main as run_command
    from viewer.core.start import OPTIONS, start_of

    if given and given[0] in COMMANDS:
        return run_command(given, _drift, _margins)
    unknown = [each for each in given if each.startswith("-") and each not in OPTIONS]
    if unknown:
        sys.stderr.write(f"{USAGE}\nThere is no option {unknown[0]}.\n")
        return 2
    return _viewer(start_of(given))


def _viewer(start: Start) -> int:
    from viewer.core.home import find_home
    from viewer.qt.instance import enter

    # Before anything heavy: a window that runs already may take it over.
    claim = None if start.alone else enter(start, find_home())
    if claim is None and not start.alone:
        return 0
    from viewer.app import run

    return run(start, claim)


def _drift() -> None:
    from viewer.jobs.drift import main as show_drift

    show_drift()


def _margins() -> dict[str, float]:
    """How much worse a new model may be, as the settings say."""
    from viewer.core.home import find_home
    from viewer.core.retraining import margins_of
    from viewer.core.settings import read_settings

    settings, told = read_settings(find_home().settings)
    if told:
        sys.stderr.write(f"{told}\n")
    return margins_of(settings)


def _self_test(given: list[str]) -> int:
    if given in (["-h"], ["--help"]):
        sys.stdout.write("usage: mammoscope self-test --out DIR\n\n")
        sys.stdout.write("example: mammoscope self-test --out /tmp/self-test\n")
        return 0
    if len(given) != 2 or given[0] != "--out":
        sys.stderr.write("usage: mammoscope self-test --out DIR\n")
        return 2
    from pathlib import Path

    from viewer.app import self_test

    return self_test(Path(given[1]))


def _help(_: list[str]) -> int:
    sys.stdout.write(USAGE)
    return 0


def _version(_: list[str]) -> int:
    from viewer.core.report import program_version

    sys.stdout.write(f"mammoscope {program_version()}\n")
    return 0


def _update(given: list[str]) -> int:
    from viewer.update.command import main as update

    return update(given)


_SHORT = {
    "-h": _help,
    "--help": _help,
    "--version": _version,
    "self-test": _self_test,
    "update": _update,
}


if __name__ == "__main__":
    sys.exit(main())
