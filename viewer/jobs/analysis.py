"""The job that has a study analyzed: prepare here, where the pixels are, compute over there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.errors import WeightsMissingError
from ml.exchange import prepare_image
from ml.registry import CARD, default_packs, read_card
from ml.texts import mark, translate
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from ml.findings import Analysis
    from ml.mammo.mammogram import Mammogram
    from ml.registry import ModelCard
    from viewer.jobs.models import ModelProcess, Progress


def analysis_job(
    images: Sequence[Mammogram],
    models: ModelProcess,
    read: Callable[[Mammogram], NDArray[np.generic]],
    progress: Progress = lambda done, of: None,
    card: Callable[[], ModelCard] | None = None,
) -> Job[Analysis]:
    """A job that ends with the analysis of `images`.

    Parameters
    ----------
    read
        Gives the stored pixels at full size: those that the viewer decoded already.
    progress
        Called on another thread with how many images are done, of how many.
    card
        Gives the detector's card; None: the one that comes with the program.
    """

    def work() -> Future[Analysis]:
        models.start()
        wanted = (card or default_card)()
        prepared = [prepare_image(i, wanted.prepare, wanted.intents, read) for i in images]
        return models.submit(prepared, progress)

    title = translate(mark("Analyzing {count} images")).format(count=len(images))
    return Job(title, work, "model")


def default_card() -> ModelCard:
    """The card of the detector that comes with the program.

    Raises
    ------
    WeightsMissingError
        Where there is none.
    """
    folder = default_packs().get("detector")
    if folder is None:
        raise WeightsMissingError(
            mark("No model for the role {role} is installed; install the program again."),
            role="detector",
        )
    return read_card(folder / CARD)
