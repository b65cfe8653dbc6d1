"""What is known of the models while they are used: how they score, and who runs in shadow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ml.texts import translate
from viewer.jobs.job import Job
from viewer.jobs.shadow import change_shadow, readout
from viewer.qt.watching import drift_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from viewer.library.library import Library
    from viewer.qt.job_runner import JobRunner
    from viewer.qt.preferences import Preferences
    from viewer.qt.retraining.versions_page import PromotePage


class Watcher(QObject):
    """Tells the page of versions whenever it is shown anew, and does what its buttons ask.

    Parameters
    ----------
    own_models
        The folder of the user's own models.
    with_reader
        Calls back with the reader's name, asking for it where it is not known.

    Signals
    -------
    told : str
        Why something could not be done.
    """

    told = Signal(str)

    def __init__(
        self,
        page: PromotePage,
        runner: JobRunner,
        library: Library,
        preferences: Preferences,
        own_models: Path,
        with_reader: Callable[[Callable[[str], None]], None],
    ) -> None:
        super().__init__()
        self._page, self._runner, self._library = page, runner, library
        self._preferences, self._own, self._with_reader = preferences, own_models, with_reader
        page.listed.connect(self._look)
        page.shadow_requested.connect(self._ask)

    def _look(self) -> None:
        expected = self._preferences.settings.prevalence_per_thousand
        self._runner.attempt(
            drift_job(self._library, expected), self._page.show_drift, self.told.emit
        )
        self._look_at_shadows()

    def _look_at_shadows(self, _: object = None) -> None:
        title = translate("Looking for models in shadow")
        job = Job(title, partial(readout, self._library))
        self._runner.attempt(job, self._page.show_shadows, self.told.emit)

    def _ask(self, role: str, key: str) -> None:
        self._with_reader(partial(self._change, role, key))

    def _change(self, role: str, key: str, who: str) -> None:
        title = translate("Changing the model in shadow")
        job = Job(title, partial(change_shadow, self._own, role, key, who))
        self._runner.attempt(job, self._look_at_shadows, self.told.emit)
