"""The job that has a study analyzed: prepare here, where the pixels are, compute over there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ml.exchange import prepare_image
from ml.in_use import cards_in_use
from ml.registry import wants_of
from ml.texts import counted
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from ml.findings import Analysis, ModelUse
    from ml.mammo.mammogram import Mammogram
    from viewer.jobs.models import ModelProcess, Progress
    from viewer.jobs.queue import Hold

    Kept = Callable[[Mapping[str, ModelUse]], Analysis | None]


def analysis_job(
    images: Sequence[Mammogram],
    models: ModelProcess,
    read: Callable[[Mammogram], NDArray[np.generic]],
    progress: Progress = lambda done, of: None,
    hold: Callable[[], Hold] | None = None,
    kept: Kept | None = None,
) -> Job[Analysis]:
    """A job that ends with the analysis of `images`.

    The models are those that the model process loads.

    Parameters
    ----------
    read
        Gives the stored pixels at full size: those that the viewer decoded already.
    progress
        Called on another thread with how many images are done, of how many.
    hold
        `JobQueue.hold`: the long jobs wait while the analysis runs; None: they do not.
    kept
        Asked first, on the job's thread: what these models, by role, said of the images before.
        Where they said something the job ends with that: no model is started and no long job
        waits. None: the models look in any case.
    """

    def work() -> Analysis | Future[Analysis]:
        cards = cards_in_use(models.environment)
        uses = {role: card.use for role, card in cards.items()}
        known = kept(uses) if kept else None
        if known is not None:
            return known
        with ExitStack() as until_done:
            if hold:
                until_done.enter_context(hold())
            models.start()
            wants = wants_of(cards)
            prepared = [prepare_image(i, wants, read) for i in images]
            future = models.submit(prepared, progress)
            let_go = until_done.pop_all().close
        future.add_done_callback(lambda _: let_go())
        return future

    count = len(images)
    title = counted("Analyzing {count} image", "Analyzing {count} images", count)
    title = title.format(count=count)
    return Job(title, work, "model")
