"""A model in shadow looks at what those in use looked at: one image a job, behind all else."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.exchange import prepare_image
from ml.in_use import cards_in_use, shadows
from ml.registry import CARD, WEIGHTS, read_card, wants_of
from ml.texts import mark, translate
from ml.versions import Versions
from viewer.core.shadow import Beside, beside
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ml.findings import Analysis
    from ml.mammo.mammogram import Mammogram
    from ml.registry import ModelCard
    from viewer.jobs.models import ModelProcess
    from viewer.library.library import Library


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One image for one model in shadow.

    Attributes
    ----------
    folder
        Of its pack.
    live
        What the models in use said of the study.
    """

    role: str
    folder: Path
    image: Mammogram
    live: Analysis


def wanted_job(
    images: Sequence[Mammogram], live: Analysis, models: ModelProcess, library: Library
) -> Job[tuple[Task, ...]]:
    """Which models in shadow have not looked at which of a study's images."""

    def work() -> tuple[Task, ...]:
        by_uid = {image.sop_instance_uid: image for image in images}
        tasks: list[Task] = []
        for one in shadows(models.environment):
            cards = _cards(models, one.folder)
            uses = {role: card.use for role, card in cards.items()}
            tasks += (
                Task(one.shadow.role, one.folder, by_uid[uid], live)
                for uid in library.unseen_by_shadow(by_uid, uses)
            )
        return tuple(tasks)

    return Job(translate(mark("Looking for models in shadow")), work)


def shadow_job(
    task: Task, models: ModelProcess, read: Callable[[Mammogram], NDArray[np.generic]]
) -> Job[Analysis | None]:
    """Have a model in shadow look at an image; None where it is not in shadow any more.

    Long jobs do not wait for it, and it is prepared where no analysis waits for its turn.

    Parameters
    ----------
    read
        Gives the stored pixels at full size.
    """

    def work() -> Analysis | Future[Analysis | None] | None:
        if all(one.folder != task.folder for one in shadows(models.environment)):
            return None
        wants = wants_of(_cards(models, task.folder))
        prepared = prepare_image(task.image, wants, read)
        # None is an answer of this job, though never of the models.
        return cast("Future[Analysis | None]", models.submit([prepared], shadow=task.folder))

    return Job(translate(mark("A model in shadow looks, too")), work)


def readout(library: Library) -> tuple[Beside, ...]:
    """How each model in shadow compares with the one in use.

    Raises
    ------
    ModelError
        Where a card is no card, or the version is not there any more.
    """
    live = cards_in_use()
    told: list[Beside] = []
    for one in shadows():
        role = one.shadow.role
        pair = read_card(one.folder / CARD), live.get(role)
        named = (role, one.shadow.key, one.shadow.since)
        if pair[1] is None:
            told.append(beside(named, (), (0.0, 0.0)))
            continue
        weights = pair[0].files[WEIGHTS], pair[1].files[WEIGHTS]
        points = _threshold(pair[0]), _threshold(pair[1])
        told.append(beside(named, library.shadow_pairs(role, weights), points))
    return tuple(told)


def change_shadow(own: Path, role: str, key: str, who: str) -> None:
    """Have a version run in shadow; an empty key: none of its role any more.

    Raises
    ------
    ModelError
        Where that cannot be: see `ml.versions.Versions`.
    """
    versions = Versions(own)
    if key:
        versions.put_in_shadow(role, key, who)
    else:
        versions.end_shadow(role, who)


def _threshold(card: ModelCard) -> float:
    return card.operating_points[0].threshold


def _cards(models: ModelProcess, folder: Path) -> Mapping[str, ModelCard]:
    """The cards of the models in use, with that of a folder in place of its role's."""
    card = read_card(folder / CARD)
    return MappingProxyType({**cards_in_use(models.environment), card.role: card})
