"""One model on the rows of a manifest as it runs in use, and the rows that measure nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ml.data.sources.listed import listed_pairs
from ml.errors import DataError, ModelError
from ml.evaluate.outcomes import (
    fine_images,
    judge_images,
    judge_pairs,
    mark_images,
    mark_pairs,
    whole_images,
)
from ml.hashed import name_sha256, names_sha256
from ml.infer.choice import choose_engine
from ml.infer.detectors import Detectors
from ml.mammo.prepare import WHOLE, Wants
from ml.manifest import Source
from ml.registry import BESIDE, FINE_ROLE, inherit
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ml.data.canvases import Pair
    from ml.evaluate.outcomes import Judged, Marked
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelCard, ModelPack


@dataclass(frozen=True, slots=True)
class Measurement:
    """One model as it runs in use: what it is shown, and what it says of it."""

    card: ModelCard
    wants: Wants
    run: Callable[[Iterable[Pair]], list[Marked] | list[Judged]]

    @staticmethod
    def of(pack: ModelPack, installed: Mapping[str, ModelPack]) -> Measurement:
        """Load a model, and by role what it runs with in use."""
        card, engine = pack.card, choose_engine()
        graph = engine.load(pack)
        if card.role == FINE_ROLE:
            wants = Wants(WHOLE, card.intents, card.prepare)
            return Measurement(card, wants, lambda ps: mark_images(graph, fine_images(ps)))
        if card.role == "classifier" and not card.mark_weights:
            wants = Wants(card.prepare, card.intents)
            return Measurement(card, wants, lambda ps: judge_images(graph, whole_images(ps)))
        packs = {**beside(card, installed), card.role: pack}
        graphs = {role: engine.load(p) for role, p in packs.items() if role != "classifier"}
        detectors = Detectors.of(packs, graphs)
        fine = packs.get(FINE_ROLE)
        wants = Wants(card.prepare, card.intents, fine.card.prepare if fine else None)
        if card.role == "classifier":
            return Measurement(card, wants, lambda ps: judge_pairs(graph, card, detectors, ps))
        return Measurement(card, wants, lambda ps: mark_pairs(detectors, ps))


def beside(card: ModelCard, installed: Mapping[str, ModelPack]) -> dict[str, ModelPack]:
    """The installed models that have a part in what one says of an image.

    Raises
    ------
    ModelError
        Where the classifier needs a detector and none is installed.
    """
    roles = BESIDE[card.role]
    if card.role == "classifier" and not card.mark_weights:
        return {}
    if "detector" in roles and "detector" not in installed:
        raise ModelError(
            mark("No model for the role {role} is installed; install the program again."),
            role="detector",
        )
    return {role: installed[role] for role in roles if role in installed}


def shown(
    model: Measurement,
    manifest: Manifest,
    rows: Iterable[ManifestRow],
    seen: list[ManifestRow],
) -> Iterator[Pair]:
    """The images that a model can look at; their rows go into `seen`."""
    for row in rows:
        for pair in listed_pairs(manifest, [row], model.wants):
            if model.card.role != FINE_ROLE or pair[1] is not None:
                seen.append(row)
                yield pair


def with_parents(card: ModelCard, installed: Iterable[ModelPack]) -> ModelCard:
    """A card with what its parents were trained on.

    It already holds their lists; one written by hand may only name them.
    """
    return inherit(card, [pack.card for pack in installed if pack.card.key in card.parents])


def refuse_trained_on(card: ModelCard, rows: Iterable[ManifestRow]) -> None:
    """No model is measured on what it was taught.

    Raises
    ------
    DataError
        Names the first such row.
    """
    patients, images = set(card.training_patients), set(card.training_images)
    for row in rows:
        if not patients.isdisjoint(names_sha256(row.patient_id)):
            raise DataError(
                mark(
                    "The model {model} was trained on a patient of this manifest ({path}); "
                    "leave her out."
                ),
                model=card.name,
                path=row.path,
            )
        if not images.isdisjoint(map(name_sha256, _image_names(row))):
            raise DataError(
                mark(
                    "The model {model} was trained on an image of this name ({path}); "
                    "leave it out."
                ),
                model=card.name,
                path=row.path,
            )


def _image_names(row: ManifestRow) -> Iterator[str]:
    """Collections name an image by its path, its file or its UID; a card has any of them."""
    path = PurePosixPath(row.path)
    known = (row.extra.get(name, "") for name in ("image_id", "sop_instance_uid"))
    return (name for name in chain((row.path, path.name, path.stem), known) if name)


def refuse_generated(rows: Iterable[ManifestRow]) -> None:
    """How a model does on what another model made says nothing of patients.

    Raises
    ------
    DataError
        Names the first such row.
    """
    for row in rows:
        if row.source is Source.GENERATED:
            raise DataError(
                mark(
                    "{path} is a generated image, on which no model can be measured; leave "
                    "generated images out, or give them the split train and others the split "
                    "test."
                ),
                path=row.path,
            )
