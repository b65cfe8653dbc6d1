"""What is screened, into which folder of results, and how."""

from __future__ import annotations

import re
from dataclasses import MISSING, asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

# A study is whole when no file of it came for so long.
SETTLE_S = 60.0
DEVICES = ("auto", "cpu", "cuda")
LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
# Below the results: a small picture of each image.
THUMBNAILS = "thumbnails"


@dataclass(frozen=True, slots=True)
class ScreenOrder:
    """An order, as plain values: a job's spec.

    Attributes
    ----------
    folder
        What is screened: a folder, a zip archive or a DICOMDIR.
    out
        Gets the ledger and the results; may lie within `folder`.
    patient_pattern
        As for `ml.mammo.study.group_studies`.
    device
        One of `DEVICES`.
    processes
        That decode; 0: as many as the machine has cores.
    ledger
        A database's URL, where the ledger is shared; empty: a file in `out`.
    retry_failed
        Try the images again that failed in an earlier run.
    watch
        Go on with what arrives, until it is stopped.
    settle_s
        See `SETTLE_S`; for `watch`.
    engine
        One of `ENGINES`.
    address
        Of a Ray cluster; empty: one of this machine alone.
    """

    folder: str
    out: str
    patient_pattern: str = ""
    device: str = "auto"
    processes: int = 0
    ledger: str = ""
    retry_failed: bool = False
    watch: bool = False
    settle_s: float = SETTLE_S
    engine: str = LOCAL
    address: str = ""

    @property
    def root(self) -> Path:
        """`folder`, whole."""
        return Path(self.folder).resolve()

    @property
    def results(self) -> Path:
        """`out`, whole."""
        return Path(self.out).resolve()

    def to_json(self) -> dict[str, object]:
        """As a job's spec."""
        return asdict(self)

    @staticmethod
    def from_json(spec: Mapping[str, object]) -> ScreenOrder:
        """Back from a job's spec.

        Raises
        ------
        DataError
            Where it is none.
        """
        kinds = {
            one.name: str if one.default is MISSING else type(one.default)
            for one in fields(ScreenOrder)
        }
        for name, value in spec.items():
            if not _is_of(value, kinds.get(name, type(None))):
                raise _wrong(name)
        if spec.get("device", "auto") not in DEVICES:
            raise _wrong("device")
        if not (spec.get("folder") and spec.get("out")):
            raise _wrong("folder, out")
        order = ScreenOrder(**spec)  # type: ignore[arg-type]
        if not (order.processes >= 0 and 0 <= order.settle_s < inf):
            raise _wrong("processes, settle_s")
        _check_pattern(order.patient_pattern)
        return order


def _is_of(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise DataError(
            mark("The grouping rule {pattern} is no regular expression: {why}."),
            pattern=pattern,
            why=str(error),
        ) from error


def _wrong(name: str) -> DataError:
    return DataError(
        mark("The order to screen a folder cannot be carried out; make it anew."), detail=name
    )
