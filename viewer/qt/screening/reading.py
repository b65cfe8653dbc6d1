"""Where the reader is in a list: what is on the screen, what comes next, what is kept of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ml.texts import mark, translate
from viewer.core import actions, screening
from viewer.core.read_study import Status, status_of
from viewer.core.state import BLIND, RANKED
from viewer.jobs import screened
from viewer.jobs.job import Job
from viewer.jobs.screened import Kept

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.study import Study
    from ml.screen.ranking import StudyRank
    from viewer.core.screening import Listed, View
    from viewer.core.state import SessionState
    from viewer.jobs.screened import Screened
    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.screening.opening import StudyOpener
    from viewer.qt.session import Session

KEEP_AFTER_MS = 500


class ListReading(QObject):
    """Holds the list that is read, and changes it as the reader goes on.

    Parameters
    ----------
    places
        Where the reader's places are kept.
    library
        Knows what was read; None: only what is read now counts.

    Attributes
    ----------
    listed
        The list; None where none is open.
    results
        Its folder.

    Signals
    -------
    changed
        The list is another, or is seen otherwise.
    told : str
        Why something could not be done.
    """

    changed = Signal()
    told = Signal(str)

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        opener: StudyOpener,
        places: Path,
        library: Library | None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._runner, self.opener = session, runner, opener
        self._places, self._library = places, library
        self.listed: Listed | None = None
        self.results: Path | None = None
        self._names: dict[str, str] = {}
        # Where she was in each list that she left, whether that is written by now or not.
        self._left: dict[Path, Kept] = {}
        self._wanted: Path | None = None
        self._keep_soon = QTimer(self, interval=KEEP_AFTER_MS, singleShot=True)
        self._keep_soon.timeout.connect(self.keep)
        session.changed.connect(self._on_session)
        opener.shown.connect(self._on_shown)
        opener.told.connect(self._on_not_opened)

    def read(self, results: Path, first: View) -> None:
        """Read the list in a folder, or read it anew; the reader keeps her place.

        Parameters
        ----------
        first
            How a list is seen that was not opened before.
        """
        self._wanted = results
        work = partial(
            screened.read_screened,
            results,
            self._places,
            self._library,
            first,
            self._left.get(results),
        )
        title = translate(mark("Reading the list of {name}")).format(name=results.name)
        self._runner.attempt(Job(title, work), self._take, self.told.emit)

    def leave(self) -> None:
        """Show no list any more; her place in it is kept."""
        self._wanted = None
        if self.listed is not None:
            self.keep()
            self.listed = self.results = None
            self.changed.emit()

    def see(self, view: View) -> None:
        """See the list otherwise."""
        if self.listed is None:
            return
        self._take_listed(screening.with_view(self.listed, view))
        state = self._session.state
        # Whoever looks at the ranks now has seen them when she speaks of the open study.
        if view.order == RANKED and state.listed == BLIND:
            self._session.apply(actions.show_ranks, step=False)

    def open(self, key: str) -> None:
        """Put a study on the screen; at once where it is ready."""
        rank = self.listed.rank(key) if self.listed is not None else None
        if self.listed is None or rank is None:
            return
        self._take_listed(screening.with_current(self.listed, key))
        if self.opener.is_on_screen(key):
            self.opener.shown_again(key)
        else:
            self.opener.open(rank, self.listed.view.order)

    def step(self, by: int) -> bool:
        """Go to the next study (1) or the previous one (-1); False at the ends."""
        rank = screening.neighbour(self.listed, by) if self.listed is not None else None
        return self._go(rank)

    def next_unread(self) -> bool:
        """Go to the next unread study; False where there is none."""
        rank = screening.next_unread(self.listed) if self.listed is not None else None
        return self._go(rank)

    def leads(self) -> bool:
        """Whether the next study is the list's: the one on the screen came from it."""
        return self.listed is not None and self.opener.leads()

    def results_of(self, study: Study) -> Path | None:
        """The folder of the screening that a study was opened from; None: from none."""
        return self.results if self.opener.has_opened(study) else None

    def keep(self) -> None:
        """Keep the reader's place."""
        self._keep_soon.stop()
        if self.listed is None or self.results is None:
            return
        kept = Kept(str(self.results), self.listed.view, self.listed.current, dict(self._names))
        self._left[self.results] = kept
        work = partial(screened.keep, kept, self._places)
        job = Job(translate(mark("Keeping your place in the list")), work, "library")
        self._runner.attempt(job, lambda _: None, self.told.emit)

    def _go(self, rank: StudyRank | None) -> bool:
        if rank is not None:
            self.open(rank.key)
        return rank is not None

    def _take(self, read: Screened) -> None:
        if read.results != self._wanted:
            return
        if self.listed is not None and self.results == read.results:
            work, statuses = read.listed.work, read.listed.statuses
            fresh = screening.read_anew(self.listed, work, statuses)
        else:
            self.keep()
            self.results, fresh = read.results, read.listed
            self._names = dict(read.names)
        self._take_listed(fresh)

    def _take_listed(self, listed: Listed) -> None:
        self.listed = listed
        self._keep_soon.start()
        self.changed.emit()
        self._prepare()

    def _prepare(self) -> None:
        """Have what she probably opens next ready."""
        if self.listed is None:
            return
        likely = (screening.neighbour(self.listed, 1), screening.next_unread(self.listed))
        ahead = {rank.key: rank for rank in likely if rank is not None}
        self.opener.prepare(tuple(ahead.values()))

    def _on_shown(self, key: str, name: str) -> None:
        if self.listed is None:
            return
        plain = screening.filed_names(self.listed.work, {}).get(key)
        if plain is not None and name != plain:
            self._names[key] = name
            self._keep_soon.start()
        self._prepare()

    def _on_not_opened(self, sentence: str) -> None:
        self.told.emit(sentence)
        self._prepare()

    def _on_session(self, old: SessionState, new: SessionState) -> None:
        """What is said of the study on the screen shows in the list."""
        said = (new.reading, new.outcomes) != (old.reading, old.outcomes)
        listed = self.listed
        if listed is None or not said or not self.opener.is_on_screen(listed.current):
            return
        status = status_of(new.reading, new.outcomes)
        # What the library has of it comes a moment after the study.
        if status is not Status.UNREAD:
            self.listed = screening.with_status(listed, listed.current, status)
            self.changed.emit()
