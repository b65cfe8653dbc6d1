"""Opening files: find and group them off the GUI thread, then hand them to the session."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ml.errors import MammoError
from ml.places import SAMPLES
from ml.texts import translate
from viewer.core import actions
from viewer.core.state import Refusal
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ml.mammo.study import Study
    from viewer.core.settings import Settings
    from viewer.qt.job_runner import JobHandle, JobRunner
    from viewer.qt.session import Session

_log = logging.getLogger("viewer.qt")

Opened = tuple["tuple[Study, ...]", tuple[Refusal, ...]]


class Opener(QObject):
    """Open paths; what cannot be opened is listed with its sentence.

    Parameters
    ----------
    settings
        Gives the settings that hold now.
    """

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = runner
        self._settings = settings
        self._job: JobHandle | None = None

    def open(self, paths: Sequence[Path], *, together: bool = False) -> None:
        """Read files, folders or DICOMDIRs.

        Parameters
        ----------
        together
            Hang all images as one study, also where they name different studies or patients.
        """
        if self._job is not None:
            self._job.cancel()
        title = translate("Reading {count} paths").format(count=len(paths))
        if len(paths) == 1:
            title = translate("Reading {name}").format(name=paths[0].name)
        self._session.apply(lambda state: actions.begin_opening(state, title), step=False)
        settings = self._settings()
        work = partial(read_studies, tuple(paths), together, settings.patient_pattern)
        self._job = self._runner.submit(Job(title, work), self._done, self._failed)

    def hang_together(self) -> None:
        """Hang every study of the work list as one."""
        images = [image for study in self._session.state.studies for image in study.images]
        if images:
            from ml.mammo.study import merge_all

            merged = merge_all(images)
            refusals = self._session.state.refusals
            self._session.apply(
                lambda state: actions.replace_studies(state, merged, refusals), step=False
            )

    def _done(self, opened: Opened) -> None:
        self._job = None
        studies, refusals = opened
        _log.info("opened %d studies, refused %d files", len(studies), len(refusals))
        self._session.apply(
            lambda state: actions.open_studies(state, studies, refusals), step=False
        )

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._session.apply(lambda state: actions.begin_opening(state, ""), step=False)
        if not isinstance(error, MammoError):
            raise error
        sentence = str(error)
        self._session.apply(lambda state: actions.set_lane(state, sentence), step=False)


def sample_paths() -> list[Path]:
    """The images of the study that comes with the program."""
    return sorted(SAMPLES.glob("*/*.dcm"))


def read_studies(paths: Sequence[Path], together: bool, patient_pattern: str) -> Opened:
    """Find the mammograms below these paths and group them."""
    from ml.mammo.scan import find_images
    from ml.mammo.study import group_studies, merge_all

    found = find_images(paths)
    refusals = tuple(Refusal(path, str(error)) for path, error in found.refused)
    if together and found.images:
        return merge_all(found.images), refusals
    return group_studies(found.images, patient_pattern=patient_pattern), refusals
