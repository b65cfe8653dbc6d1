"""Put the program together and run it."""

from __future__ import annotations

import logging
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from viewer.core.first_run import is_accepted
from viewer.core.home import find_home
from viewer.core.language import set_language
from viewer.jobs.models import ModelProcess
from viewer.jobs.queue import JobQueue
from viewer.library.library import Library
from viewer.qt.incoming import Incoming, come_to_front
from viewer.qt.job_runner import JobRunner
from viewer.qt.language import speak
from viewer.qt.log_file import start_log
from viewer.qt.long_jobs import LongJobs
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session
from viewer.qt.theme import apply_theme
from viewer.update.starter import start_again

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.core.home import Home
    from viewer.core.start import Start
    from viewer.qt.instance import Claim

_log = logging.getLogger("viewer")

# As `ml.infer.choice` reads it in the model process, which this one must not import.
DEVICE_VARIABLE = "MAMMOSCOPE_DEVICE"


def run(start: Start, claim: Claim | None = None) -> int:
    """Run the viewer until its window is closed.

    Parameters
    ----------
    start
        What to open; no paths: the sample study.
    claim
        Of the one program of a user, which hears what other starts are asked for. None: it
        hears nobody.
    """
    application = make_application()
    incoming = Incoming(application, claim)
    home = find_home()
    start_log(home.logs)
    preferences = Preferences(Session(), home.settings)
    first = not is_accepted(preferences.settings)
    if first and not _is_agreed(preferences, home, incoming):
        incoming.close()
        return 0
    window = make_window(preferences)
    guard = ErrorGuard(window)
    guard.install()
    _show(window)
    _open(window, start)
    if first and not start.paths:
        window.start_tour(offered=True)
    incoming.serve(partial(_open_further, window))
    code = application.exec()
    incoming.close()
    guard.remove()
    if window.starts_again:
        start_again()
    return code


def _is_agreed(preferences: Preferences, home: Home, incoming: Incoming) -> bool:
    """Ask what must be asked once, before there is a window."""
    from viewer.qt.dialogs.first_run import FirstRunDialog

    dialog = FirstRunDialog(preferences, home)
    with incoming.raising(dialog):
        return dialog.exec() == FirstRunDialog.DialogCode.Accepted


def _show(window: MainWindow) -> None:
    """In its own size, or over the whole screen where that is larger."""
    room = window.screen().availableSize()
    if window.width() > room.width() or window.height() > room.height():
        window.resize(window.size().boundedTo(room))
        window.showMaximized()
    else:
        window.show()


def _open(window: MainWindow, start: Start) -> None:
    if start.paths:
        window.open_paths(start.paths, together=start.together)
    else:
        window.open_sample()


def _open_further(window: MainWindow, start: Start) -> None:
    """Open what another start was asked for; one without files only shows the window."""
    come_to_front(window, start.token)
    window.open_paths(start.paths, together=start.together)


def self_test(out: Path) -> int:
    """Drive the window through the sample study; see `viewer.qt.self_test`."""
    from viewer.qt.self_test import run_self_test

    application = make_application()
    window = make_window()
    return run_self_test(application, window, out)


def make_application() -> QApplication:
    """The one `QApplication`, dressed."""
    threading.Thread(target=_import_codecs, name="imports", daemon=True).start()
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    speak(application, set_language(find_home().settings))
    application.setApplicationName("mammoscope")
    application.setApplicationDisplayName("Mammoscope")
    apply_theme(application)
    return application


def make_window(preferences: Preferences | None = None) -> MainWindow:
    """The main window with everything behind it.

    Parameters
    ----------
    preferences
        None: read for this window.
    """
    home = find_home()
    if preferences is None:
        start_log(home.logs)
        preferences = Preferences(Session(), home.settings)
    session, settings = preferences.session, preferences.settings
    runner = JobRunner(disk_threads=settings.disk_threads)
    models = ModelProcess(environment={DEVICE_VARIABLE: settings.device})
    library = Library(home.library)
    resumes = settings.interrupted_jobs == "resume"
    jobs = LongJobs(JobQueue(library.place, resume_interrupted=resumes))
    window = MainWindow(session, preferences, runner, models, library, jobs)
    preferences.setParent(window)
    session.setParent(window)
    memory = Memory(session, library, parent=window, runner=runner)
    memory.failed.connect(window.notice.tell)
    return window


class ErrorGuard(QObject):
    """Shows what nothing caught, from any thread, and keeps the session open."""

    _broke = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before = sys.excepthook
        self._broke.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over from Python."""
        from viewer.core.anonymous import identities_of
        from viewer.qt.dialogs.broken import install_excepthook

        session = self._window.session
        # From any thread: what is shown is one value.
        install_excepthook(self._broke.emit, lambda: identities_of(session.state.studies))
        threading.excepthook = self._on_thread

    def remove(self) -> None:
        """Hand back to Python."""
        sys.excepthook = self._before
        threading.excepthook = threading.__excepthook__

    def _on_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            sys.excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _show(self, report: str) -> None:
        from viewer.qt.dialogs.broken import BrokenDialog

        BrokenDialog(report, self._window).show()


def _import_codecs() -> None:
    """Import what decodes, and what hears other starts, while Qt draws its first window."""
    import cv2
    import pydicom

    _log.debug("codecs are here: %s %s", cv2.__version__, pydicom.__version__)
    from PySide6 import QtNetwork

    _log.debug("other starts can be heard: %s", QtNetwork.__name__)
