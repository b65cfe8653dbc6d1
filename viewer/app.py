"""Put the program together and run it."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from viewer.core.home import find_home
from viewer.core.language import set_language
from viewer.jobs.models import ModelProcess
from viewer.jobs.queue import JobQueue
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.language import speak
from viewer.qt.log_file import start_log
from viewer.qt.long_jobs import LongJobs
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session
from viewer.qt.theme import apply_theme

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger("viewer")

# As `viewer.__main__` writes it in its usage.
TOGETHER = "--together"
# As `ml.infer.choice` reads it in the model process, which this one must not import.
DEVICE_VARIABLE = "MAMMOSCOPE_DEVICE"


def run(arguments: Sequence[str]) -> int:
    """Run the viewer until its window is closed.

    Parameters
    ----------
    arguments
        Paths to open; ``--together`` among them hangs all as one study. None: the sample study.
    """
    application = make_application()
    window = make_window()
    guard = ErrorGuard(window)
    guard.install()
    window.show()
    paths = [Path(each) for each in arguments if each != TOGETHER]
    if paths:
        window.open_paths(paths, together=TOGETHER in arguments)
    else:
        window.open_sample()
    code = application.exec()
    guard.remove()
    return code


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


def make_window() -> MainWindow:
    """The main window with everything behind it."""
    home = find_home()
    start_log(home.logs)
    session = Session()
    preferences = Preferences(session, home.settings)
    settings = preferences.settings
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
        from viewer.qt.dialogs.broken import install_excepthook

        install_excepthook(self._broke.emit)
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
    """Import what decoding needs while Qt draws its first window."""
    import cv2
    import pydicom

    _log.debug("codecs are here: %s %s", cv2.__version__, pydicom.__version__)
