"""Opens the studio where this program keeps its things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.core.home import find_home
from viewer.jobs.devices import default_lane
from viewer.jobs.generators import generator_folders
from viewer.qt.studio.window import Places, StudioDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs


def make_studio(
    jobs: LongJobs,
    runner: JobRunner,
    device: str,
    open_paths: Callable[[list[Path]], object],
    parent: QWidget,
) -> StudioDialog:
    """A studio over a window.

    Parameters
    ----------
    device
        As the settings name it.
    open_paths
        Opens files in the viewer, which then comes to the front.
    """
    home = find_home()
    folders = tuple(generator_folders(home.models))
    places = Places(folders, home.generated, default_lane(device))

    def open_in_viewer(paths: list[Path]) -> None:
        open_paths(paths)
        parent.raise_()
        parent.activateWindow()

    return StudioDialog(jobs, runner, places, open_in_viewer, parent)
