"""Opens the studio where this program keeps its things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.in_use import generator_places
from viewer.core.home import find_home
from viewer.core.studio import choice_of, keep_choice
from viewer.jobs.devices import default_lane
from viewer.qt.studio.window import Places, StudioDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs
    from viewer.qt.preferences import Preferences


def make_studio(
    jobs: LongJobs,
    runner: JobRunner,
    preferences: Preferences,
    open_paths: Callable[[list[Path]], object],
    parent: QWidget,
) -> StudioDialog:
    """A studio over a window.

    Parameters
    ----------
    preferences
        Say which device and which generator, and keep another choice of one.
    open_paths
        Opens files in the viewer, which then comes to the front.
    """
    home = find_home()
    places = Places(
        generator_places(),
        home.generated,
        default_lane(preferences.settings.device),
        choice=lambda: choice_of(preferences.settings),
        keep_choice=lambda choice: preferences.change(
            keep_choice(preferences.settings, choice)
        ),
    )

    def open_in_viewer(paths: list[Path]) -> None:
        open_paths(paths)
        parent.raise_()
        parent.activateWindow()

    return StudioDialog(jobs, runner, places, open_in_viewer, parent)
