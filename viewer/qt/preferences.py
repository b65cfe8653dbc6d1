"""The settings while the program runs: read once, changed by the dialog and by the switches."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.core.errors import SettingsError
from viewer.core.reading import set_blind_first_read, utc_now
from viewer.core.settings import read_settings, write_settings

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.core.settings import Settings
    from viewer.core.state import SessionState
    from viewer.qt.session import Session

_log = logging.getLogger("viewer.qt")


class Preferences(QObject):
    """Hold the settings, keep the file, and remember the blind first read.

    Attributes
    ----------
    session
        Whose switches follow the settings.
    settings
        What holds now.
    sentence
        What to tell the user about the file; empty where all is well.

    Signals
    -------
    changed : (Settings, Settings)
        The old and the new settings.
    failed : str
        The file could not be written; the sentence says why.
    """

    changed = Signal(object, object)
    failed = Signal(str)

    def __init__(self, session: Session, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._path = path
        self.settings, self.sentence = read_settings(path)
        self._turn_switch(self.settings.blind_first_read)
        self._set_prevalence(self.settings.prevalence_per_thousand)
        self._set_reader(self.settings.reader)
        session.changed.connect(self._on_session)

    def change(self, settings: Settings) -> None:
        """Let new settings hold, and write them down."""
        old = self.settings
        if settings == old:
            return
        self.settings = settings
        try:
            write_settings(settings, self._path)
        except SettingsError as error:
            _log.info("the settings could not be written")
            self.sentence = str(error)
            self.failed.emit(str(error))
        self._turn_switch(settings.blind_first_read)
        self._set_prevalence(settings.prevalence_per_thousand)
        self._set_reader(settings.reader)
        self.changed.emit(old, settings)

    def name_reader(self, name: str) -> None:
        """Keep who is reading."""
        self.change(replace(self.settings, reader=name))

    def _turn_switch(self, on: bool) -> None:
        now = utc_now()
        if self.session.state.blind_first_read != on:
            self.session.apply(lambda state: set_blind_first_read(state, on, now))

    def _set_prevalence(self, per_thousand: float) -> None:
        if self.session.state.per_thousand != per_thousand:
            self.session.apply(lambda state: replace(state, per_thousand=per_thousand))

    def _set_reader(self, name: str) -> None:
        name = " ".join(name.split())
        if self.session.state.reader != name:
            self.session.apply(lambda state: replace(state, reader=name))

    def _on_session(self, old: SessionState, new: SessionState) -> None:
        del old
        if new.blind_first_read != self.settings.blind_first_read:
            self.change(replace(self.settings, blind_first_read=new.blind_first_read))
