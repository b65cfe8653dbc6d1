"""The program tests itself: the real window, the sample study, a real analysis."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer

from ml.errors import MammoError
from ml.findings_json import analysis_to_json
from ml.texts import mark
from viewer.core.state import AnalysisPhase
from viewer.qt.opening import sample_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from PySide6.QtWidgets import QApplication

    from viewer.core.state import SessionState
    from viewer.qt.main_window import MainWindow

LONGEST_S = 50.0
STEP_MS = 20
VIEWS = 4


class SelfTestError(MammoError):
    """The program is not what it should be; the sentence says in what."""


def run_self_test(
    application: QApplication,
    window: MainWindow,
    out: Path,
    sample: Sequence[Path] | None = None,
    longest_s: float = LONGEST_S,
) -> int:
    """Open the sample study, wait for its analysis, write what is seen and what was said.

    Parameters
    ----------
    sample
        What to open; None: the study that comes with the program.
    out
        Gets ``screenshot.png`` and ``findings.json``.

    Returns
    -------
    int
        0 where all is well; 1 with a sentence on the standard error stream where not.
    """
    broken: list[BaseException] = []

    def keep(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        del kind, trace
        broken.append(error)

    before, sys.excepthook = sys.excepthook, keep
    try:
        _drive(
            application,
            window,
            out,
            sample or sample_paths(),
            time.monotonic() + longest_s,
            broken,
        )
    except MammoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        sys.excepthook = before
        window.close()
    return 0


def _drive(
    application: QApplication,
    window: MainWindow,
    out: Path,
    sample: Sequence[Path],
    until: float,
    broken: list[BaseException],
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    window.show()
    window.open_paths(sample)
    session = window.session

    def wait(is_done: Callable[[], bool], what: str) -> None:
        _wait(is_done, what, until, broken)

    wait(lambda: session.state.study is not None or bool(session.state.refusals), "opening")
    _check_hang(session.state)
    wait(lambda: window.canvas.is_complete, "decoding")
    wait(lambda: session.state.analysis_phase in _ENDS, "analysis")
    if session.state.analysis is not None and session.state.analysis.kept:
        # It is the models that are tested.
        window.analyzer.analyze()
        wait(lambda: session.state.analysis_phase in _ENDS, "analysis")
    if session.state.analysis is None:
        raise SelfTestError(
            mark("The self-test failed: {why}"), why=session.state.analysis_error
        )
    application.processEvents()
    _write(window, out)


_ENDS = (AnalysisPhase.DONE, AnalysisPhase.FAILED)


def _wait(
    is_done: Callable[[], bool], what: str, until: float, broken: list[BaseException]
) -> None:
    loop = QEventLoop()
    timer = QTimer()
    timer.timeout.connect(
        lambda: loop.quit() if broken or is_done() or time.monotonic() > until else None
    )
    timer.start(STEP_MS)
    if not is_done():
        loop.exec()
    if broken:
        raise SelfTestError(
            mark("The self-test failed: {why}"), why=type(broken[0]).__name__
        ) from broken[0]
    if not is_done():
        raise SelfTestError(mark("The self-test failed: {what} took too long."), what=what)


def _check_hang(state: SessionState) -> None:
    if state.refusals:
        raise SelfTestError(mark("The self-test failed: {why}"), why=state.refusals[0].sentence)
    hung = [viewport.title for viewport in state.viewports if viewport.image]
    if len(hung) != VIEWS:
        raise SelfTestError(
            mark("The self-test failed: only {views} of four views hang."),
            views=", ".join(hung),
        )


def _write(window: MainWindow, out: Path) -> None:
    analysis = window.session.state.analysis
    assert analysis is not None
    if not window.grab().save(str(out / "screenshot.png")):
        raise SelfTestError(mark("The self-test failed: {why}"), why="screenshot.png")
    document = json.dumps(analysis_to_json(analysis), indent=1)
    (out / "findings.json").write_text(document + "\n", encoding="utf-8")
