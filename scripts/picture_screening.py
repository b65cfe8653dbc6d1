"""Show the list of a made-up folder, and write `resources/docs/screening.png`.

    xvfb-run -a python scripts/picture_screening.py

The manual's picture is made by the program: the real window, over a list of studies that nobody
has; no patient and no model is behind its numbers.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from pictures import rest, shrink, wait_for

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.distribution import Distribution, Part  # noqa: E402 the path comes first
from ml.mammo.codes import BreastDensity, Laterality  # noqa: E402
from ml.screen.ranking import (  # noqa: E402
    BreastRank,
    Group,
    StudyRank,
    Summary,
    ranked,
)
from ml.screen.worklist import WORKLIST, WorkList, write_worklist  # noqa: E402
from viewer.app import make_application, make_window  # noqa: E402
from viewer.core.home import find_home  # noqa: E402
from viewer.core.read_study import Status  # noqa: E402
from viewer.core.screening import with_status  # noqa: E402

PICTURE = ROOT / "resources" / "docs" / "screening.png"
SIZE_PX = (1280, 720)
COLOURS = 96
LONGEST_S, REST_S = 30.0, 1.0
STUDIES, THRESHOLD = 412, 0.42
REASONS = (
    "LMLO is missing.",
    "RCC: The compressed pixels end in the middle. Ask for a new copy.",
    "RMLO: The models are not made for this kind of view (spot).",
)


def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["MAMMOSCOPE_HOME"] = home
        results = find_home().screenings / "clinic-2026-03-04"
        results.mkdir(parents=True)
        write_worklist(results / WORKLIST, make_list())
        take(results)
    shrink(PICTURE, COLOURS)


def make_list() -> WorkList:
    """Studies of nobody."""
    chance = random.Random(5)
    ranks = ranked(_study(number, chance) for number in range(STUDIES))
    scores = sorted(rank.score or 0.0 for rank in ranks)
    bins = [sum(n / 20 <= score < (n + 1) / 20 for score in scores) for n in range(20)]
    attention = sum(rank.group is Group.ATTENTION for rank in ranks)
    summary = Summary(
        studies=STUDIES,
        images=4 * STUDIES,
        analyzed=4 * STUDIES - attention,
        refused=attention - 3,
        failed=3,
        waiting=0,
        attention=attention,
        above=sum(bool(rank.above) for rank in ranks),
        skipped={"other": 17},
        threshold=THRESHOLD,
        quantiles=tuple(scores[min(n * STUDIES // 10, STUDIES - 1)] for n in range(11)),
        bins=tuple(bins),
        distribution=Distribution(
            Part(tuple((n / 50) ** 3 * 0.8 for n in range(51)), 900, 300),
            Part(tuple(1 - (1 - n / 50) ** 2 * 0.9 for n in range(51)), 200, 100),
            "made-up images",
        ),
    )
    models = {"detector": "detector@1.0", "classifier": "classifier@1.0"}
    when = "2026-03-04T05:06:07+00:00"
    return WorkList("/studies/clinic", models, when, THRESHOLD, ranks, summary)


def _study(number: int, chance: random.Random) -> StudyRank:
    right, left = (chance.random() ** 3 for _ in range(2))
    score = max(right, left)
    reasons = (chance.choice(REASONS),) if number % 60 == 7 else ()
    return StudyRank(
        key=str(number),
        study_uid=f"1.2.{number}",
        patient_id=f"P_{chance.randrange(99999):05}",
        date=f"2026{chance.randrange(1, 3):02}{chance.randrange(1, 29):02}",
        synthetic=False,
        group=Group.ATTENTION if reasons else Group.RANKED,
        reasons=reasons,
        breasts=tuple(
            BreastRank(side, value, value / 9, None, above=value >= THRESHOLD)
            for side, value in ((Laterality.RIGHT, right), (Laterality.LEFT, left))
        ),
        score=score,
        probability=score / 9,
        above=score >= THRESHOLD,
        density=chance.choice(list(BreastDensity)),
        images=4,
        refused=int(bool(reasons)),
        failed=0,
        waiting=0,
        places=(),
    )


def take(results: Path) -> None:
    """Write what is seen when some of the list is read."""
    application = make_application()
    window = make_window()
    window.show_screening()
    dialog = window.screening
    assert dialog is not None
    dialog.resize(*SIZE_PX)
    until = time.monotonic() + LONGEST_S
    wait_for(application.processEvents, lambda: dialog.reading.listed is not None, until)
    listed = dialog.reading.listed
    assert listed is not None
    for place, status in enumerate((Status.READ, Status.READ, Status.RECALLED, Status.READ)):
        listed = with_status(listed, listed.shown[place].key, status)
    dialog.reading.listed = listed
    dialog.reading.changed.emit()
    dialog.list.table.choose(listed.shown[4].key)
    # The temporary place of this picture is nobody's.
    dialog.order.show_places("/studies/clinic", f"/results/{results.name}")
    rest(application.processEvents, REST_S)
    dialog.grab().save(str(PICTURE))
    window.close()


if __name__ == "__main__":
    main()
