"""Open a finished generation in the studio, and write `resources/docs/studio.png`.

    mammoscope generate --prompt "..." --count 9 --out made/
    xvfb-run -a python scripts/picture_studio.py --model resources/models/generator --made made/

The manual's picture is made by the program: the real window over real images.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from pictures import rest, shrink, wait_for

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.synth.output import JOURNAL, ORDER  # noqa: E402 the path comes first
from viewer.app import make_application  # noqa: E402
from viewer.jobs.queue import JobQueue  # noqa: E402
from viewer.library.job_row import JobState  # noqa: E402
from viewer.library.jobs import Jobs  # noqa: E402
from viewer.qt.job_runner import JobRunner  # noqa: E402
from viewer.qt.long_jobs import LongJobs  # noqa: E402
from viewer.qt.studio.window import Places, StudioDialog  # noqa: E402

PICTURE = ROOT / "resources" / "docs" / "studio.png"
SIZE_PX = (1280, 720)
# Few enough for a picture under 200 kB, enough for grays and for the colours of the window.
COLOURS = 96
LONGEST_S, REST_S = 60.0, 2.0


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description="Picture a finished generation.")
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--made", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library.sqlite"
        write_down(library, given.made.resolve())
        take(given.model.resolve(), library, given.out)
    shrink(given.out, COLOURS)


def write_down(library: Path, made: Path) -> None:
    """Have a library know the generation as a job that is done."""
    count = len((made / JOURNAL).read_text("utf-8").splitlines())
    order = json.loads((made / ORDER).read_text("utf-8"))
    jobs = Jobs(library)
    spec = {"out": str(made), "seed": order.get("seed", 0)}
    job_id = jobs.submit("generate", f"Generate {count}", spec, "cpu")
    job = jobs.claim("cpu", "picture", job_id)
    assert job is not None
    jobs.set_progress(job, count, count, {}, 0.0)
    jobs.set_ended(job, JobState.DONE)
    jobs.close()


def take(model: Path, library: Path, out: Path) -> None:
    """Write what is seen when the studio has read all."""
    application = make_application()
    jobs, runner = LongJobs(JobQueue(library)), JobRunner()
    places = Places((model,), library.parent / "generated", "cpu")
    studio = StudioDialog(jobs, runner, places, lambda _: None, None)
    studio.resize(*SIZE_PX)
    studio.show()
    jobs.start()
    until = time.monotonic() + LONGEST_S

    wait_for(application.processEvents, lambda: studio.order.draft is not None, until)
    wait_for(
        application.processEvents,
        lambda: studio.batch is not None and bool(studio.batch.shots),
        until,
    )
    rest(application.processEvents, REST_S)
    studio.shots.scrollToTop()
    application.processEvents()
    studio.grab().save(str(out))
    runner.close()
    jobs.close()


if __name__ == "__main__":
    main()
