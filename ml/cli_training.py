"""What the commands that train take, and the orders that they come to; plain values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

# As `ml.train.order.Mode`, which the reader's edition may lack.
MODES = (
    "real",
    "augmented",
    "oversampled",
    "mixed",
    "synthetic_first",
    "synthetic_only",
)
MODELS = ("detector", "calcifications", "classifier")


def take_training(parser: ArgumentParser) -> None:
    """The options of `mammoscope train`."""
    parser.add_argument("model", choices=(*MODELS, "generator"))
    parser.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--from-scratch",
        action="store_true",
        help="do not begin with the installed model's weights, nor measure beside others",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="",
        help="which images teach; left out, all of the manifest teach alike",
    )
    parser.add_argument(
        "--dose",
        type=float,
        default=1.0,
        metavar="D",
        help="synthetic images for each real one, in the modes that have any",
    )
    _take_both(parser, "steps")


def training_spec(given: Namespace) -> dict[str, object]:
    """`ml.train.order.TrainingOrder` of them."""
    return {
        "manifest": str(given.manifest),
        "out": str(given.out),
        "role": given.model,
        "device": given.device,
        "part": given.part,
        "from_scratch": given.from_scratch,
        "override": given.override,
        "mode": given.mode,
        "dose": given.dose,
    }


def take_helps(parser: ArgumentParser) -> None:
    """The options of `mammoscope helps`."""
    parser.add_argument("manifest", type=Path, metavar="MANIFEST")
    parser.add_argument("--role", required=True, choices=MODELS)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="trainings of each mode; at least 3"
    )
    parser.add_argument(
        "--doses",
        type=float,
        nargs="+",
        default=[0.5, 1.0, 2.0],
        metavar="D",
        help="synthetic images for each real one; the greatest for all modes but mixed",
    )
    _take_both(parser, "steps of each training")


def helps_spec(given: Namespace) -> dict[str, object]:
    """`ml.train.order.HelpsOrder` of them."""
    return {
        "manifest": str(given.manifest),
        "out": str(given.out),
        "role": given.role,
        "device": given.device,
        "part": given.part,
        "override": given.override,
        "seeds": given.seeds,
        "doses": given.doses,
    }


def _take_both(parser: ArgumentParser, steps: str) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--part",
        type=float,
        default=1.0,
        metavar="SHARE",
        help=f"share of the usual number of {steps}, to try something out",
    )
    parser.add_argument(
        "--override",
        default="",
        metavar="REASON",
        help="why data are used although their audit is red; it stays on the model's card",
    )
