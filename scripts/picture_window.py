"""Analyze the sample study, decide on marks of it, and write the manual's pictures of both.

    xvfb-run -a python scripts/picture_window.py

`resources/docs/window.png` and `deciding.png` are made by the program: the real window over the
sample study.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pictures import rest, shrink, wait_for

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.mammo.codes import FindingType  # noqa: E402 the path comes first
from ml.mammo.geometry import Box  # noqa: E402
from viewer.app import make_application, make_window  # noqa: E402
from viewer.core import deciding  # noqa: E402
from viewer.core.decision import Deed  # noqa: E402
from viewer.core.diagnosis import shown_threshold  # noqa: E402
from viewer.core.marks import marks_of  # noqa: E402
from viewer.core.reading import utc_now  # noqa: E402

if TYPE_CHECKING:
    from viewer.core.marks import Mark
    from viewer.qt.main_window import MainWindow

ANALYZED = ROOT / "resources" / "docs" / "window.png"
DECIDED = ANALYZED.with_name("deciding.png")
SIZE_PX = (1400, 830)
# Few enough for a picture under 200 kB, enough for grays and for the colours of the window.
COLOURS = 128
LONGEST_S, REST_S = 120.0, 1.0
# Where no finding of the machine's is, in stored pixels of the right MLO.
OWN_BOX = Box(1500, 700, 1670, 900)


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["MAMMOSCOPE_HOME"] = home
        take()
    for path in (ANALYZED, DECIDED):
        shrink(path, COLOURS)


def take() -> None:
    """Write what is seen before and after some decisions."""
    application = make_application()
    window = make_window()
    window.preferences.change(replace(window.preferences.settings, reader="Dr. A. Reader"))
    window.resize(*SIZE_PX)
    window.show()
    window.open_sample()
    until = time.monotonic() + LONGEST_S

    def picture(path: Path) -> None:
        rest(application.processEvents, REST_S)
        window.grab().save(str(path))

    wait_for(
        application.processEvents,
        lambda: window.session.state.analysis is not None and window.canvas.is_complete,
        until,
    )
    picture(ANALYZED)
    decide(window)
    picture(DECIDED)
    window.close()


def decide(window: MainWindow) -> None:
    """Accept the strongest mark, reject the weakest, call one something else, draw one."""
    marks = sorted(shown_marks(window), key=lambda mark: mark.score)
    window.deciding.decide(Deed.ACCEPTED, marks[-1].key)
    window.deciding.decide(Deed.REJECTED, marks[0].key)
    window.deciding.retype(marks[1].key, FindingType.ASYMMETRY)
    state = window.session.state
    image = next(v.image for v in state.viewports if v.title == "RMLO" and v.image)
    own = deciding.drawn(
        state,
        (image.sop_instance_uid, None),
        OWN_BOX,
        FindingType.MASS,
        utc_now(),
        deciding.new_mark(),
    )
    if own is not None:
        window.session.apply(lambda now: deciding.add_decision(now, own))


def shown_marks(window: MainWindow) -> list[Mark]:
    """All that the machine shows of the study."""
    state = window.session.state
    images = state.study.images if state.study else ()
    threshold = shown_threshold(state)
    return [
        mark
        for image in images
        for mark in marks_of(state, image.sop_instance_uid)
        if mark.is_shown(threshold)
    ]


if __name__ == "__main__":
    main()
