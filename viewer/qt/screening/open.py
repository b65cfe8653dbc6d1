"""Opens the window of a screening where this program keeps its things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.core.home import find_home
from viewer.jobs.devices import default_lane
from viewer.qt.screening.opening import StudyOpener
from viewer.qt.screening.reading import ListReading
from viewer.qt.screening.window import Places, ScreeningDialog

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from viewer.library.library import Library
    from viewer.qt.images import Images
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.long_jobs import LongJobs
    from viewer.qt.preferences import Preferences
    from viewer.qt.session import Session


def make_screening(
    jobs: LongJobs,
    runner: JobRunner,
    preferences: Preferences,
    reader: tuple[Session, Images, Library | None],
    beside: QWidget,
) -> ScreeningDialog:
    """A window beside that of the images.

    Parameters
    ----------
    preferences
        Say which device, how files are grouped, and whether she reads blind first.
    reader
        Where studies are opened and decoded, and what was read; None: nobody knows.
    beside
        The window of the images: it comes to the front with a study of the list.
    """
    home, (session, images, library) = find_home(), reader

    def bring_up() -> None:
        beside.raise_()
        beside.activateWindow()

    places = Places(
        home.screenings,
        home.reading_places,
        lane=lambda: default_lane(preferences.settings.device),
        pattern=lambda: preferences.settings.patient_pattern,
        reads_blind=lambda: preferences.settings.blind_first_read,
        bring_up=bring_up,
    )
    opener = StudyOpener(session, images, runner)
    reading = ListReading(session, runner, opener, home.reading_places, library)
    opener.setParent(reading)
    return ScreeningDialog(jobs, runner, reading, places)
