"""What the library keeps of a session, and brings back when a study is opened again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from ml.exchange import image_facts
from viewer.core.reading import restore_reading, utc_now
from viewer.core.state import Reading
from viewer.library.library import RecentStudy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ml.findings import Analysis, ImageAnalysis, ModelUse
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study
    from viewer.core.state import SessionState
    from viewer.library.library import Library
    from viewer.qt.session import Session

# No UID begins so.
SYNTHETIC = "synthetic:"


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
            self._library.keep_reading(filed_as(study), new.reading)
        analysis = new.analysis
        if analysis is not None and analysis is not old.analysis and not analysis.kept:
            self._library.keep_analysis(_filed(analysis, study))

    def _restore(self, study: Study) -> None:
        kept = self._library.reading_of(filed_as(study))
        state = self._session.state
        if kept is not None and state.study is study and state.reading == Reading():
            self._session.apply(lambda now: restore_reading(now, kept))


def kept_analysis(
    library: Library, study: Study, models: Mapping[str, ModelUse]
) -> Analysis | None:
    """What these models said of this study before; None unless they saw all of it as it is.

    May be called on any thread.
    """
    prefix = _prefix(study)
    kept = library.analysis_of([prefix + i.sop_instance_uid for i in study.images], models)
    if kept is None:
        return None
    pairs = tuple(zip(kept.images, study.images, strict=True))
    if not all(_is_of(said, image) for said, image in pairs):
        return None
    return replace(kept, images=tuple(_as_opened(said, image) for said, image in pairs))


def _is_of(said: ImageAnalysis, image: Mammogram) -> bool:
    """Whether an image is still described as when it was analyzed: headers are mended."""
    facts = image_facts(image)
    names = ("rows", "columns", "laterality", "view", "study_instance_uid")
    return all(getattr(said, name) == getattr(facts, name) for name in names)


def _as_opened(said: ImageAnalysis, image: Mammogram) -> ImageAnalysis:
    return replace(said, sop_instance_uid=image.sop_instance_uid, path=str(image.path))


def filed_as(study: Study) -> str:
    """The study's name in the library: a synthetic one is never filed under a real UID."""
    return _prefix(study) + study.uid


def _prefix(study: Study) -> str:
    return SYNTHETIC if study.synthetic else ""


def _filed(analysis: Analysis, study: Study) -> Analysis:
    prefix = _prefix(study)
    images = (replace(i, sop_instance_uid=prefix + i.sop_instance_uid) for i in analysis.images)
    return replace(analysis, images=tuple(images))


def recent_study(study: Study, now: str) -> RecentStudy:
    """A study as the list of recent ones names it."""
    names = (study.patient.patient_id, study.date, f"({len(study.images)})")
    label = " ".join(name for name in names if name)
    prefix = _prefix(study)
    files = {prefix + image.sop_instance_uid: str(image.path) for image in study.images}
    return RecentStudy(filed_as(study), str(_common_path(study)), label, now, files)


def _common_path(study: Study) -> Path:
    first = study.images[0].path
    return first if len(study.images) == 1 else first.parent
