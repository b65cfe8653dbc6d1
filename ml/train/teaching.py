"""A training in the stages of its mode: each begins with what the one before it learnt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ml.control import NOBODY, Control
from ml.models.detector import build_detector
from ml.train.classifier import train_classifier
from ml.train.crops import CropSource
from ml.train.detector import train_detector
from ml.train.hard import with_hard, with_told
from ml.train.modes import recipes_of
from ml.train.patches import train_patches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch
    from torch import nn

    from ml.data.canvases import CanvasSet
    from ml.train.loop import Recipe
    from ml.train.modes import Stage
    from ml.train.plan import Plan

    # What teaches, and real images that share each batch with it.
    Sources = tuple[CropSource, CropSource | None]
    Weights = Mapping[str, torch.Tensor]
    # Of a part ("detector", "patches", "classifier") and the steps of it that were done in
    # earlier stages: what its training calls with each step and its loss.
    Progress = Callable[[str, int], Callable[[int, float], None]]


def teach(
    role: str,
    canvases: CanvasSet,
    stages: Sequence[Stage],
    plan: Plan,
    out: Path,
    *,
    start: Weights | None = None,
    progress: Progress,
    begun: Callable[[nn.Module], None] = lambda averaged: None,
    control: Control = NOBODY,
) -> nn.Module:
    """Train a role's network, going on from the checkpoints in `out` where there are any.

    A classifier goes through every stage with patches, then through every stage with whole
    images.

    Parameters
    ----------
    stages
        One at least; together they take the steps of the plan.
    start
        An installed model's weights to begin with.
    begun
        Given the averaged model of each part and stage before its first step.
    control
        Asked where images are looked through before a first step.

    Returns
    -------
    nn.Module
        The averaged weights of the last stage, on the CPU.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    Stopped
        Where `progress` or `control` raises it.
    """
    tuned = start is not None
    told = _Told(progress, begun, control)
    lessons = _Lessons(canvases, stages, plan, out, told, tuned=tuned)
    if role != "classifier":
        return lessons.detector(start)
    return lessons.classifier(lessons.patches(start).state_dict())


@dataclass(frozen=True, slots=True)
class _Told:
    """Who is told of the steps, and who is asked whether to go on."""

    progress: Progress
    begun: Callable[[nn.Module], None]
    control: Control


class _Lessons:
    """The stages of one training, on one set of images."""

    def __init__(
        self,
        canvases: CanvasSet,
        stages: Sequence[Stage],
        plan: Plan,
        out: Path,
        told: _Told,
        *,
        tuned: bool,
    ) -> None:
        self._canvases, self._stages, self._plan = canvases, stages, plan
        self._out, self._told, self._tuned = out, told, tuned
        self._device = plan.device.kind

    def detector(self, start: Weights | None) -> nn.Module:
        """Through every stage, with the places that the installed one takes for lesions."""
        recipes = recipes_of(self._plan.detector, self._stages, tuned=self._tuned)

        def sources(stage: Stage) -> Sources:
            crops, films = self._crops(stage)
            if start is None:
                return crops, films
            return self._with_hard(crops, start), (
                self._with_hard(films, start) if films else None
            )

        return self._through("detector", train_detector, recipes, sources, start)

    def patches(self, start: Weights | None) -> nn.Module:
        """Through every stage with crops."""
        recipes = recipes_of(self._plan.patches, self._stages, tuned=self._tuned)
        return self._through("patches", train_patches, recipes, self._crops, start)

    def classifier(self, start: Weights) -> nn.Module:
        """Through every stage with whole images."""
        recipes = recipes_of(self._plan.classifier, self._stages)
        train = partial(train_classifier, control=self._told.control)
        return self._through("classifier", train, recipes, self._wholes, start)

    def _through(
        self,
        part: str,
        train: Callable[..., nn.Module],
        recipes: Sequence[Recipe],
        sources: Callable[[Stage], Sources],
        start: Weights | None,
    ) -> nn.Module:
        models: list[nn.Module] = []
        before = 0
        for stage, recipe in zip(self._stages, recipes, strict=True):
            model = train(
                *sources(stage),
                recipe,
                self._out / stage.folder,
                start=models[-1].state_dict() if models else start,
                device=self._device,
                progress=self._told.progress(part, before),
                begun=self._told.begun,
            )
            models.append(model)
            before += recipe.steps
        return models[-1]

    def _crops(self, stage: Stage) -> Sources:
        side = self._plan.crop_px
        crops = with_told(self._source(stage, stage.images, side, side))
        films = self._source(stage, stage.real, side, side) if stage.real else None
        return crops, with_told(films) if films else None

    def _wholes(self, stage: Stage) -> Sources:
        size = self._canvases.spec.rows, self._canvases.spec.columns
        whole = self._source(stage, stage.images, *size).with_known_label()
        films = self._source(stage, stage.real, *size) if stage.real else None
        return whole, films.with_known_label() if films else None

    def _source(
        self, stage: Stage, indices: tuple[int, ...], rows: int, columns: int
    ) -> CropSource:
        return CropSource(
            self._canvases,
            indices,
            rows,
            columns,
            augmentation=stage.augmentation,
            alike=stage.alike,
        )

    def _with_hard(self, crops: CropSource, start: Weights) -> CropSource:
        model = build_detector()
        model.load_state_dict(start)
        return with_hard(crops, model, device=self._device, control=self._told.control)
