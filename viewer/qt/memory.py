"""What the library keeps of a session, and brings back when a study is opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from viewer.core.reading import restore_reading, utc_now
from viewer.core.state import Reading
from viewer.library.library import RecentStudy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ml.findings import Analysis, ModelUse
    from ml.mammo.study import Study
    from viewer.core.state import SessionState
    from viewer.library.library import Library
    from viewer.qt.session import Session


class Memory(QObject):
    """Follow a session: each study, reading and analysis goes into the library at once.

    Parameters
    ----------
    now
        Gives the time that is kept with an opened study.
    """

    def __init__(
        self,
        session: Session,
        library: Library,
        now: Callable[[], str] = utc_now,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self._now = now
        session.changed.connect(self._on_changed)

    def kept_analysis(
        self, study: Study, models: Mapping[str, ModelUse], engine: str = ""
    ) -> Analysis | None:
        """What these models said of this study before; None where an image is missing."""
        uids = [image.sop_instance_uid for image in study.images]
        return self._library.analysis_of(uids, models, engine)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        study = new.study
        if study is None:
            return
        opened_anew = new.reading == Reading() != old.reading
        if old.study is not study or opened_anew:
            self._library.remember_study(recent_study(study, self._now()))
            # A change inside a change would reach the other listeners in the wrong order.
            QTimer.singleShot(0, self, lambda: self._restore(study))
        elif new.reading != old.reading:
            self._library.keep_reading(study.uid, new.reading)
        if new.analysis is not None and new.analysis is not old.analysis:
            self._library.keep_analysis(new.analysis)

    def _restore(self, study: Study) -> None:
        kept = self._library.reading_of(study.uid)
        state = self._session.state
        if kept is not None and state.study is study and state.reading == Reading():
            self._session.apply(lambda now: restore_reading(now, kept))


def recent_study(study: Study, now: str) -> RecentStudy:
    """A study as the list of recent ones names it."""
    names = (study.patient.patient_id, study.date, f"({len(study.images)})")
    label = " ".join(name for name in names if name)
    return RecentStudy(study.uid, str(_common_path(study)), label, now)


def _common_path(study: Study) -> Path:
    first = study.images[0].path
    return first if len(study.images) == 1 else first.parent
