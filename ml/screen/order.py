"""What is screened, into which folder of results, and how."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

# A study is whole when no file of it came for so long.
SETTLE_S = 60.0
DEVICES = ("auto", "cpu", "cuda")


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
            kind = kinds.get(name, type(None))
            if not isinstance(value, (int, float) if kind is float else kind):
                raise _wrong(name)
        if spec.get("device", "auto") not in DEVICES or not {"folder", "out"} <= spec.keys():
            raise _wrong("device, folder, out")
        return ScreenOrder(**spec)  # type: ignore[arg-type]


def _wrong(name: str) -> DataError:
    return DataError(
        mark("The order to screen a folder cannot be carried out; make it anew."), detail=name
    )
