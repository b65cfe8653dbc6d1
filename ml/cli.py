"""The headless commands: what can be done with mammograms without a window.

Exit code 0, 1 (refused, with one sentence that says what to do) or 2 (bad arguments).
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ml.cli_screening import screening_spec, take_screening
from ml.cli_training import helps_spec, take_helps, take_training, training_spec
from ml.control import Control
from ml.errors import MammoError
from ml.files import write_json
from ml.models_command import add_actions, show_models
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram

COMMANDS = (
    "analyze",
    "screen",
    "phantom",
    "generate",
    "import-dataset",
    "find-duplicates",
    "merge-datasets",
    "audit",
    "train",
    "helps",
    "evaluate",
    "models",
)
INTERRUPTED = 130


def _no_library() -> None:
    raise MammoError(
        mark("Only the program itself has a library; call it as `mammoscope models drift`.")
    )


def main(
    arguments: Sequence[str],
    drift: Callable[[], None] = _no_library,
    margins: Callable[[], Mapping[str, float]] = dict,
) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    drift, margins
        What `models drift` does, and the margins of the gate: only the viewer has settings.
    """
    parser = build_parser()
    parser.set_defaults(drift=drift, margins=margins)
    try:
        given = parser.parse_args(list(arguments))
    except SystemExit as leave:
        return int(leave.code or 0)
    try:
        given.run(given)
    except MammoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or ''}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="mammoscope", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_analyze(commands)
    _add_screen(commands)
    _add_phantom(commands)
    _add_generate(commands)
    _add_import(commands)
    _add_duplicates(commands)
    _add_merge(commands)
    _add_audit(commands)
    _add_train(commands)
    _add_helps(commands)
    _add_evaluate(commands)
    _add_models(commands)
    return parser


class ProgressLine:
    """One line on a terminal that says how far a command is; nothing where output is a file.

    Parameters
    ----------
    title
        What is being done.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, of: int) -> None:
        """Say that `done` of `of` are finished."""
        if self._shown:
            end = "\n" if done == of else ""
            sys.stderr.write(f"\r{self._title} {done}/{of}{end}")
            sys.stderr.flush()


class OnTerminal(Control):
    """Long work in front of a terminal: a bar, and what is to be told on lines of their own."""

    def __init__(self, title: str) -> None:
        self._line = ProgressLine(title)

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Move the bar."""
        self._line(done, of)

    def log(self, sentence: str) -> None:
        """Write a line."""
        sys.stderr.write(f"{sentence}\n")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    example: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: mammoscope {example}"
    )
    parser.set_defaults(run=run)
    return parser


def _add_analyze(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "analyze",
        "Analyze mammograms and write what the models say as JSON.",
        "analyze study/ --json findings.json",
        _analyze,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", required=True, type=Path, metavar="FILE")


def _add_screen(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "screen",
        "Analyze a folder of studies and rank them; the same command does what is missing.",
        "screen archive/ --out results/",
        _screen,
    )
    take_screening(parser)


def _add_phantom(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "phantom",
        "Simulate women and write their four mammograms with known lesions.",
        "phantom --count 10 --seed 1 --out phantoms/",
        _phantom,
    )
    parser.add_argument("--count", required=True, type=_positive, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--prior-years",
        type=_years,
        default=0.0,
        metavar="Y",
        help="also the examination of so many years before, lesions smaller",
    )
    parser.add_argument("--raw", action="store_true", help="also each image as For Processing")


def _add_generate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "generate",
        "Generate synthetic mammograms from a sentence, or what a data set lacks.",
        'generate --prompt "a alpha mammogram in MLO view with medium area and high density, '
        'left breast" --count 10 --seed 1 --out made/',
        _generate,
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prompt", action="append", metavar="TEXT", help="may be repeated")
    asked.add_argument("--plan", type=Path, metavar="MANIFEST", help="a data set to complete")
    parser.add_argument("--wanted", type=_positive, metavar="N", help="of each kind (--plan)")
    parser.add_argument("--count", type=_positive, metavar="N", help="images (--prompt)")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="another generator")
    parser.add_argument("--lora", type=Path, action="append", metavar="FILE")
    parser.add_argument(
        "--vendor", action="append", metavar="WORD", help="a maker's word of --model"
    )
    parser.add_argument("--pixel-mm", type=float, metavar="MM", help="pixel size of --model")
    parser.add_argument("--steps", type=_positive, metavar="N")
    parser.add_argument("--guidance", type=float, metavar="G")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--cpu-allowed", action="store_true", help="where the card is too small"
    )
    parser.add_argument("--host", metavar="FOLDER", help="healthy images to paint lesions into")
    parser.add_argument(
        "--reference", type=Path, metavar="MANIFEST", help="images to measure quality against"
    )
    parser.add_argument("--sham-share", type=float, metavar="SHARE")
    parser.add_argument("--keep-all", action="store_true", help="also what the filters refuse")


def _add_import(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "import-dataset",
        "Write the manifest of a published collection, or of images of one's own.",
        "import-dataset cbis-ddsm data/CBIS-DDSM --out data/",
        _import,
    )
    forms = ("cbis-ddsm", "vindr-mammo", "inbreast", "yolo", "coco", "csv")
    parser.add_argument("form", choices=forms)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder itself, or one above it"
    )
    parser.add_argument(
        "--patient",
        default="",
        metavar="PATTERN",
        help="finds the patient in an image's path (yolo, coco)",
    )


def _add_duplicates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "find-duplicates",
        "Find images of one manifest, or of two, that are the same under two patients.",
        "find-duplicates --manifest data/manifest.csv",
        _duplicates,
    )
    parser.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    parser.add_argument("--other", type=Path, metavar="FILE", help="a second manifest")


def _add_merge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "merge-datasets",
        "Make one data set of several; their images stay where they are.",
        "merge-datasets clinic/ synthetic/ --out together/",
        _merge,
    )
    parser.add_argument("sets", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")


def _add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "audit",
        "Say whether data are fit to train on: exit code 1 where something is red and not "
        "overridden, else 0.",
        "audit data/manifest.csv --json audit.json",
        _audit,
    )
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument("manifest", nargs="?", type=Path, metavar="MANIFEST")
    named.add_argument("--manifest", dest="named", type=Path, metavar="FILE", help="the same")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="the report; a page beside it"
    )
    parser.add_argument(
        "--override",
        default="",
        metavar="REASON",
        help="why the data are used although something is red: stays in the report",
    )


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "train",
        "Train a model from a manifest.",
        "train detector --manifest data/manifest.csv --out runs/detector",
        _train,
    )
    take_training(parser)


def _add_helps(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "helps",
        "Does it help? Train with and without synthetic images, several times each, and say "
        "what the difference allows to say. Every way counts as a use of the test patients.",
        "helps data/manifest.csv --role detector --out runs/helps --seeds 3 --doses 0.5 1 2",
        _helps,
    )
    take_helps(parser)


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "evaluate",
        "Measure models on a manifest: JSON, and a page. Of your own it counts as a use.",
        "evaluate --manifest data/manifest.csv --json figures.json",
        _evaluate,
    )
    parser.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    parser.add_argument("--model", metavar="NAME@VERSION", help="in use, or your own")
    parser.add_argument("--json", required=True, type=Path, metavar="FILE")


def _add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "models",
        "List the models, show one, or have a version of your own in use.",
        "models show detector",
        _models,
    )
    add_actions(parser)


def _years(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 20:
        raise argparse.ArgumentTypeError("must lie in 0 to 20")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _analyze(given: argparse.Namespace) -> None:
    from ml.findings_json import analysis_to_json
    from ml.infer.reader import load_reader

    images = _found(given.paths)
    reader = load_reader()
    analysis = reader.analyze(images, _pixels, ProgressLine(translate("Analyzing")))
    write_json(given.json, analysis_to_json(analysis))


def _found(paths: Sequence[Path]) -> tuple[Mammogram, ...]:
    from ml.mammo.scan import find_images

    found = find_images(paths)
    for path, error in found.refused:
        sys.stderr.write(f"{path}: {error}\n")
    if not found.images:
        raise MammoError(mark("No mammogram was found; name DICOM files or their folder."))
    return found.images


def _pixels(mammogram: Mammogram) -> NDArray[np.generic]:
    from ml.mammo.pixels import read_pixels

    return read_pixels(mammogram)


def _screen(given: argparse.Namespace) -> None:
    _part("ml.screen.run", "run")(screening_spec(given), OnTerminal(translate("Screening")))


def _phantom(given: argparse.Namespace) -> None:
    progress = ProgressLine(translate("Simulating"))
    write = _part("ml.phantom.dataset", "write_phantoms")
    write(
        given.out,
        given.count,
        given.seed,
        prior_years=given.prior_years,
        raw=given.raw,
        progress=progress,
    )


def _generate(given: argparse.Namespace) -> None:
    named = {
        "out": given.out,
        "prompts": given.prompt,
        "plan": given.plan,
        "wanted": given.wanted,
        "count": given.count,
        "seed": given.seed,
        "model": given.model,
        "lora": [str(path) for path in given.lora or ()],
        "vendors": given.vendor,
        "pixel_mm": given.pixel_mm,
        "steps": given.steps,
        "guidance": given.guidance,
        "device": given.device,
        "cpu_allowed": given.cpu_allowed,
        "host": given.host,
        "reference": given.reference,
        "sham_share": given.sham_share,
        "keep_all": given.keep_all,
    }
    # What is not given is as by default.
    spec = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in named.items()
        if value is not None
    }
    _part("ml.synth.making", "run")(spec, OnTerminal(translate("Generating")))


def _import(given: argparse.Namespace) -> None:
    _part("ml.data.importing", "main")(
        given.form, given.folder, given.out or given.folder, patient=given.patient
    )


def _merge(given: argparse.Namespace) -> None:
    from ml.merging import merge

    one = merge(given.sets, given.out)
    sys.stdout.write(f"{one.folder}\t{len(one.rows)}\n")


def _duplicates(given: argparse.Namespace) -> None:
    _part("ml.data.duplicates_command", "main")(given.manifest, given.other)


def _audit(given: argparse.Namespace) -> None:
    _part("ml.audit.command", "main")(
        given.manifest or given.named,
        given.json,
        given.override,
        control=OnTerminal(translate("Auditing")),
    )


def _train(given: argparse.Namespace) -> None:
    spec = training_spec(given)
    _part("ml.train.run", "run")(spec, OnTerminal(translate("Training")))


def _helps(given: argparse.Namespace) -> None:
    spec = helps_spec(given)
    _part("ml.train.helps", "run")(spec, OnTerminal(translate("Training every mode")))


def _evaluate(given: argparse.Namespace) -> None:
    _part("ml.evaluate.command", "main")(
        given.manifest, given.model, given.json, progress=ProgressLine(translate("Evaluating"))
    )


def _part(module: str, name: str) -> Callable[..., object]:
    """A command's own room, which the reader's edition may lack."""
    from importlib import import_module

    try:
        known = find_spec(module) is not None
    except ModuleNotFoundError:
        known = False
    part = getattr(import_module(module), name, None) if known else None
    if part is None:
        raise MammoError(mark("This edition of the program does not have that command."))
    return part


def _models(given: argparse.Namespace) -> None:
    if given.action in ("list", "show"):
        show_models(given)
    elif given.action == "drift":
        given.drift()
    else:
        _part("ml.train.promotion", "main")(given)
