"""Where the window of a retraining works, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from viewer.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Places:
    """Where trainings work, and with what.

    Attributes
    ----------
    trainings
        Gets a folder for each training.
    own_models
        The folder of the user's own models.
    lane
        Gives the device of a new job: the settings may change it.
    margins
        How much worse a new model may be, by the names of `ml.evaluate.gate.Margins`.
    with_reader
        Calls back with the reader's name, asking for it where it is not known.
    promoted
        Told that other models are in use.
    corrections
        Gives the job that writes what the reader corrected as a data set, and gives its folder;
        None: there is no library.
    plan
        Shows what a data set lacks, where images of it can be planned; None: nowhere.
    """

    trainings: Path
    own_models: Path
    lane: Callable[[], str]
    margins: Callable[[], Mapping[str, float]]
    with_reader: Callable[[Callable[[str], None]], None]
    promoted: Callable[[], object]
    corrections: Callable[[], Job[Path] | None] = lambda: None
    plan: Callable[[Path], object] | None = None
