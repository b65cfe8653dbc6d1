"""Audit a data set as the retraining window does, and write `resources/docs/retraining.png`.

    mammoscope phantom --count 12 --seed 5 --out simulated/
    mammoscope generate --prompt "..." --count 40 --out made/
    mammoscope merge-datasets simulated/ made/ --out data/
    xvfb-run -a python scripts/picture_retraining.py --data data/

With lesions that are simulated and healthy breasts that are generated, it is the design that
this program was begun to catch. The manual's picture is made by the program: the real window
over a real audit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from pictures import rest, shrink, wait_for

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.control import NOBODY  # noqa: E402 the path comes first
from ml.train.order import TrainingOrder  # noqa: E402
from ml.train.run import run_audit  # noqa: E402
from viewer.app import make_application  # noqa: E402
from viewer.core.retraining import Step, margins_of  # noqa: E402
from viewer.core.settings import Settings  # noqa: E402
from viewer.jobs.queue import JobQueue  # noqa: E402
from viewer.jobs.retrained import begin  # noqa: E402
from viewer.qt.job_runner import JobRunner  # noqa: E402
from viewer.qt.long_jobs import LongJobs  # noqa: E402
from viewer.qt.retraining.places import Places  # noqa: E402
from viewer.qt.retraining.window import RetrainDialog  # noqa: E402

PICTURE = ROOT / "resources" / "docs" / "retraining.png"
SIZE_PX = (1280, 760)
COLOURS = 64
LONGEST_S, REST_S = 60.0, 1.0


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description="Picture an audit.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trainings = Path(folder) / "trainings"
        out = trainings / time.strftime("%Y-%m-%d-detector-1")
        order = TrainingOrder(str(given.data.resolve()), str(out), "detector", "cpu")
        begin(order, [given.data.resolve()])
        run_audit(order.to_json(), NOBODY)
        take(trainings, given.out)
    shrink(given.out, COLOURS)


def take(trainings: Path, out: Path) -> None:
    """Write what the window shows of the newest training's audit."""
    application = make_application()
    jobs, runner = LongJobs(JobQueue(trainings.parent / "library.sqlite")), JobRunner()
    places = Places(
        trainings,
        trainings.parent / "models",
        lambda: "cpu",
        lambda: margins_of(Settings()),
        lambda _: None,
        lambda: None,
        plan=lambda _: None,
    )
    window = RetrainDialog(jobs, runner, places, None)
    window.resize(*SIZE_PX)
    window.show()
    jobs.start()
    until = time.monotonic() + LONGEST_S
    wait_for(application.processEvents, lambda: window.choice.count() > 1, until)
    window.choice.setCurrentIndex(1)
    window.choice.activated.emit(1)
    wait_for(
        application.processEvents,
        lambda: window.run is not None and window.run.audit is not None,
        until,
    )
    window.go_to(Step.AUDIT)
    rest(application.processEvents, REST_S)
    window.grab().save(str(out))
    runner.close()
    jobs.close()


if __name__ == "__main__":
    main()
