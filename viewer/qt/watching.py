"""Once after the start: whether the models in use still score as their cards say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ml.texts import translate
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.drift import Watched
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner


def drift_job(library: Library, per_thousand: float) -> Job[tuple[Watched, ...]]:
    """Compare the latest scores with the cards; see `viewer.jobs.drift.watch_models`."""
    work = partial(_watched, library, per_thousand)
    return Job(translate("Comparing the latest scores with the cards"), work)


def tell_drift(
    library: Library, per_thousand: float, runner: JobRunner, tell: Callable[[str], object]
) -> None:
    """Tell of an alarm, and of nothing else."""
    runner.attempt(drift_job(library, per_thousand), partial(_tell_alarm, tell), tell)


def _watched(library: Library, per_thousand: float) -> tuple[Watched, ...]:
    # On the job's thread: it is needed by no first picture.
    from viewer.jobs.drift import watch_models

    return watch_models(library, per_thousand)


def _tell_alarm(tell: Callable[[str], object], watched: tuple[Watched, ...]) -> None:
    from viewer.core.drift import alarm

    tell(alarm(watched))
