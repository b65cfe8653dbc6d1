"""Opens the window of a retraining where this program keeps its things."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from viewer.core.home import find_home
from viewer.core.retraining import margins_of
from viewer.jobs.devices import default_lane
from viewer.qt.dialogs.reader import ReaderDialog
from viewer.qt.retraining.choosing import corrections_job
from viewer.qt.retraining.places import Places
from viewer.qt.retraining.watcher import Watcher
from viewer.qt.retraining.window import RetrainDialog
from viewer.qt.studio.window import StudioDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from viewer.jobs.job import Job
    from viewer.jobs.models import ModelProcess
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs
    from viewer.qt.preferences import Preferences


@runtime_checkable
class ShowsStudio(Protocol):
    """A window over which a studio is opened."""

    def show_studio(self) -> None:
        """Show the studio, as a child of this window."""


def make_retraining(
    jobs: LongJobs,
    runner: JobRunner,
    preferences: Preferences,
    models: ModelProcess,
    library: Library | None,
    parent: QWidget,
) -> RetrainDialog:
    """A window over another.

    Parameters
    ----------
    preferences
        Say which device, which margins and who reads; a new name is kept there.
    models
        Are started anew when others are in use.
    library
        Whose analyses are held against the models' cards, and what models in shadow said; None:
        nothing is.
    """
    home = find_home()

    def with_reader(named: Callable[[str], None]) -> None:
        if preferences.settings.reader:
            named(preferences.settings.reader)
            return

        def keep(name: str) -> None:
            preferences.name_reader(name)
            named(name)

        ReaderDialog(keep, parent).open()

    def corrections() -> Job[Path] | None:
        if library is None:
            return None
        pattern = preferences.settings.patient_pattern
        return corrections_job(library, home.corrections, pattern)

    places = Places(
        home.trainings,
        home.models,
        lambda: default_lane(preferences.settings.device),
        margins=lambda: margins_of(preferences.settings),
        with_reader=with_reader,
        promoted=models.renew,
        corrections=corrections,
        plan=partial(plan_images, parent) if isinstance(parent, ShowsStudio) else None,
    )
    dialog = RetrainDialog(jobs, runner, places, parent)
    if library is not None:
        watcher = Watcher(
            dialog.promote, runner, library, preferences, home.models, with_reader
        )
        watcher.setParent(dialog)
        watcher.told.connect(dialog.say)
    return dialog


def plan_images(window: QWidget, data: Path) -> None:
    """Show in the studio of a window what data lack, as “Balance my data set…” does."""
    if isinstance(window, ShowsStudio):
        window.show_studio()
    for studio in window.findChildren(StudioDialog):
        studio.count(data)
