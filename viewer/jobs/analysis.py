"""The job that has a study analyzed: prepare here, where the pixels are, compute over there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ml.exchange import prepare_image
from ml.registry import CARD, default_packs, read_card, wants_of
from ml.texts import mark, translate
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from ml.findings import Analysis
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.prepare import Wants
    from viewer.jobs.models import ModelProcess, Progress
    from viewer.jobs.queue import Hold


def analysis_job(
    images: Sequence[Mammogram],
    models: ModelProcess,
    read: Callable[[Mammogram], NDArray[np.generic]],
    progress: Progress = lambda done, of: None,
    wants: Callable[[], Wants] | None = None,
    hold: Callable[[], Hold] | None = None,
) -> Job[Analysis]:
    """A job that ends with the analysis of `images`.

    Parameters
    ----------
    read
        Gives the stored pixels at full size: those that the viewer decoded already.
    progress
        Called on another thread with how many images are done, of how many.
    wants
        Gives what the models want of an image; None: those that come with the program.
    hold
        `JobQueue.hold`: the long jobs wait while the analysis runs; None: they do not.
    """

    def work() -> Future[Analysis]:
        with ExitStack() as until_done:
            if hold:
                until_done.enter_context(hold())
            models.start()
            wanted = wants() if wants else default_wants(models.environment)
            prepared = [prepare_image(i, wanted, read) for i in images]
            future = models.submit(prepared, progress)
            let_go = until_done.pop_all().close
        future.add_done_callback(lambda _: let_go())
        return future

    title = translate(mark("Analyzing {count} images")).format(count=len(images))
    return Job(title, work, "model")


def default_wants(environment: Mapping[str, str]) -> Wants:
    """What the models that the model process loads want of an image.

    Raises
    ------
    WeightsMissingError
        Where there is no detector.
    """
    return wants_of(
        {role: read_card(f / CARD) for role, f in default_packs(environment).items()}
    )
