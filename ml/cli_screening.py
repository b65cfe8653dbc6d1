"""The options of `mammoscope screen`, and the order that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml.screen.order import DEVICES, ENGINES, LOCAL, SETTLE_S, ScreenOrder

if TYPE_CHECKING:
    import argparse


def take_screening(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="or a zip or DICOMDIR")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--patients",
        default="",
        metavar="PATTERN",
        help="images whose Patient ID holds the same match belong together",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument(
        "--processes", type=int, default=0, metavar="N", help="that decode; as many as cores"
    )
    parser.add_argument(
        "--ledger", default="", metavar="URL", help="of a shared database, instead of a file"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try again what could not be read"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, default=LOCAL, help="this machine, or a Ray cluster"
    )
    parser.add_argument("--address", default="", metavar="HOST:PORT", help="of the cluster")
    parser.add_argument(
        "--watch", action="store_true", help="go on with what arrives, until Ctrl-C"
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=SETTLE_S,
        metavar="S",
        help="seconds without a new file after which a study is whole (--watch)",
    )


def screening_spec(given: argparse.Namespace) -> dict[str, object]:
    """The order as a job's spec."""
    return ScreenOrder(
        folder=str(given.folder),
        out=str(given.out),
        patient_pattern=given.patients,
        device=given.device,
        processes=max(given.processes, 0),
        ledger=given.ledger,
        retry_failed=given.retry_failed,
        watch=given.watch,
        settle_s=max(given.settle, 0.0),
        engine=given.engine,
        address=given.address,
    ).to_json()
