"""Opens the studies of a list in the main window, and makes the next ones ready meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ml.texts import mark, translate
from viewer.core import actions
from viewer.core.state import Refusal
from viewer.jobs.job import Job
from viewer.jobs.listed_study import nothing_text, take_study
from viewer.qt.memory import filed_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study
    from ml.screen.ranking import StudyRank
    from viewer.core.state import SessionState
    from viewer.jobs.listed_study import Taken
    from viewer.qt.images import Images
    from viewer.qt.job_runner import JobHandle, JobRunner
    from viewer.qt.session import Session

# The one on the screen, the next ones, and one to go back to.
KEPT = 5
# Of two bytes a pixel, with the smaller copies that a picture has of itself.
_BYTES_A_PIXEL = 2 * 4 / 3


class StudyOpener(QObject):
    """Puts a study of the list on the screen; what is ahead of it is read and decoded.

    Signals
    -------
    shown : (str, str)
        A study's key, and its name in the library: it is on the screen.
    told : str
        Why a study cannot be opened.
    """

    shown = Signal(str, str)
    told = Signal(str)

    def __init__(
        self, session: Session, images: Images, runner: JobRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._images, self._runner = session, images, runner
        self._copies: tempfile.TemporaryDirectory[str] | None = None
        self._numbers = count()
        self._taken: OrderedDict[str, Taken] = OrderedDict()
        self._coming: dict[str, JobHandle] = {}
        self._wanted: tuple[str, str] | None = None
        self._ahead: tuple[StudyRank, ...] = ()
        self._shown: Taken | None = None
        self._order = ""
        session.changed.connect(self._on_session)
        images.arrived.connect(self._go_ahead)
        images.failed.connect(self._go_ahead)

    def is_ready(self, key: str) -> bool:
        """Whether a study's headers were read already."""
        return key in self._taken

    def taken(self, key: str) -> Taken:
        """A study that `is_ready`."""
        return self._taken[key]

    def is_on_screen(self, key: str) -> bool:
        """Whether a study of the list is the open one."""
        shown = self._shown
        return shown is not None and shown.key == key and self._is_open(shown)

    def has_opened(self, study: Study) -> bool:
        """Whether a study is that of the list which was opened last."""
        return self._shown is not None and any(study is one for one in self._shown.studies)

    def leads(self) -> bool:
        """Whether a study of the list is the open one, or is on its way to the screen."""
        shown = self._shown
        return self._wanted is not None or (shown is not None and self._is_open(shown))

    def open(self, rank: StudyRank, order: str) -> None:
        """Put a study on the screen; at once where it is ready.

        Parameters
        ----------
        order
            How the list is read.
        """
        self._wanted = (rank.key, order)
        if rank.key in self._taken:
            self._show(self._taken[rank.key])
            return
        title = translate(mark("Reading a study of the list"))
        self._session.apply(lambda state: actions.begin_opening(state, title), step=False)
        self._take(rank)

    def shown_again(self, key: str) -> None:
        """Say of the study on the screen that it is wanted once more."""
        if self._shown is not None and self._shown.key == key:
            self.shown.emit(key, filed_as(self._shown.studies[0]))

    def prepare(self, ranks: Sequence[StudyRank]) -> None:
        """Have these ready next, once the pictures of the present study are there."""
        self._ahead = tuple(ranks)
        self._go_ahead()

    def _take(self, rank: StudyRank) -> None:
        if rank.key in self._coming:
            return
        title = translate(mark("Reading a study of the list"))
        work = partial(take_study, rank, self._folder())
        self._coming[rank.key] = self._runner.submit(
            Job(title, work), self._arrived, partial(self._failed, rank.key)
        )

    def _folder(self) -> Path:
        """For what lies in archives; a folder for each study, gone with the program."""
        if self._copies is None:
            self._copies = tempfile.TemporaryDirectory(
                prefix="mammoscope-", ignore_cleanup_errors=True
            )
        return Path(self._copies.name) / str(next(self._numbers))

    def _arrived(self, taken: Taken) -> None:
        self._coming.pop(taken.key, None)
        self._taken[taken.key] = taken
        if self._wanted is not None and self._wanted[0] == taken.key:
            self._show(taken)
        else:
            self._go_ahead()
        self._let_go()

    def _failed(self, key: str, error: Exception) -> None:
        self._coming.pop(key, None)
        if self._wanted is not None and self._wanted[0] == key:
            self._wanted = None
            self._session.apply(lambda state: actions.begin_opening(state, ""), step=False)
        raise error

    def _show(self, taken: Taken) -> None:
        assert self._wanted is not None
        order, self._wanted = self._wanted[1], None
        self._order = order if taken.studies else self._order
        self._taken.move_to_end(taken.key)
        earlier = self._shown.studies if self._shown is not None else ()
        opened = (taken.studies, (*taken.refusals, *self._undecoded(taken)))
        if taken.studies:
            self._shown = taken
        self._session.apply(
            lambda state: actions.open_listed(state, opened, order, earlier), step=False
        )
        if not taken.studies:
            self.told.emit(nothing_text(taken))
            return
        self.shown.emit(taken.key, filed_as(taken.studies[0]))

    def _on_session(self, old: SessionState, new: SessionState) -> None:
        if new.study is old.study:
            return
        # Whoever opened something else meanwhile does not wait for the list any more.
        self._wanted = None
        if self._shown is not None and self._is_open(self._shown) and not new.listed:
            # Back from another study of the work list: it is still one of the list's.
            QTimer.singleShot(0, self, self._mark_listed)

    def _mark_listed(self) -> None:
        if self._shown is not None and self._is_open(self._shown):
            order = self._order
            self._session.apply(lambda state: replace(state, listed=order), step=False)

    def _undecoded(self, taken: Taken) -> list[Refusal]:
        """What was found to be damaged while another study was on the screen."""
        images = [image for study in taken.studies for image in study.images]
        errors = ((image, self._images.error(image)) for image in images)
        return [Refusal(image.path, error) for image, error in errors if error]

    def _go_ahead(self, *_: object) -> None:
        """One step further with what is ahead, where nothing else is to be read or decoded."""
        if self._wanted is not None or not self._is_settled():
            return
        wanted: list[Mammogram] = []
        room = self._images.cache.budget_bytes - self._taken_by_present()
        for rank in self._ahead:
            taken = self._taken.get(rank.key)
            if taken is None:
                self._take(rank)
                break
            for image in (image for study in taken.studies for image in study.images):
                room -= _size(image)
                if room >= 0 and not self._images.is_settled(image):
                    wanted.append(image)
        if wanted:
            self._images.request((image, 0) for image in wanted)

    def _is_settled(self) -> bool:
        """Whether the study on the screen is of the list, and all its pictures are there."""
        if self._shown is None or not self._is_open(self._shown):
            return False
        study = self._session.state.study
        return study is not None and all(map(self._images.is_settled, study.images))

    def _is_open(self, taken: Taken) -> bool:
        state: SessionState = self._session.state
        return any(study is state.study for study in taken.studies)

    def _taken_by_present(self) -> float:
        study = self._session.state.study
        return sum(map(_size, study.images)) if study is not None else 0.0

    def _let_go(self) -> None:
        """Forget the studies that were opened longest ago, and their copies."""
        needed = {rank.key for rank in self._ahead} | {self._shown.key if self._shown else ""}
        for key in [key for key in self._taken if key not in needed]:
            if len(self._taken) <= KEPT:
                return
            copies = self._taken.pop(key).copies
            if copies is not None:
                work = partial(shutil.rmtree, copies, ignore_errors=True)
                title = translate(mark("Letting copies go"))
                self._runner.submit(Job(title, work), lambda _: None, lambda _: None)


def _size(image: Mammogram) -> float:
    return image.rows * image.columns * _BYTES_A_PIXEL
