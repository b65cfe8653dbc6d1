"""`mammoscope evaluate`: a report of the models on the images that a manifest lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ml.data.sources.listed import listed_pairs
from ml.errors import DataError, ModelError
from ml.evaluate.bootstrap import DRAWS
from ml.evaluate.outcomes import (
    fine_images,
    judge_images,
    judge_pairs,
    mark_images,
    mark_pairs,
    whole_images,
)
from ml.evaluate.page import html_page
from ml.evaluate.report import SCHEMA, data_report, model_report
from ml.files import replacing
from ml.in_use import packs_in_use
from ml.infer.choice import choose_engine
from ml.infer.detectors import Detectors
from ml.mammo.prepare import WHOLE, Wants
from ml.manifest import Source, Split, read_manifest
from ml.registry import BESIDE, FINE_ROLE, inherit, name_sha256, read_pack
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from ml.data.canvases import Pair
    from ml.evaluate.outcomes import Judged, Marked
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelCard, ModelPack

    Item = TypeVar("Item")
    Progress = Callable[[int, int], None]


def main(
    manifest_path: Path,
    model: str | None,
    out: Path,
    *,
    progress: Progress = lambda done, of: None,
    draws: int = DRAWS,
) -> None:
    """Measure every installed model, or the one named; write JSON, and HTML beside it.

    Rows for testing are used where the manifest names any, else all. Generated images measure
    nothing and are refused; simulated ones are never pooled with real ones: each source has
    its own figures.

    Parameters
    ----------
    progress
        Called with how many images are done, of how many.

    Raises
    ------
    DataError
        Where a patient or an image was trained on, an image is generated, or there is nothing
        to measure.
    ModelError
        Where no installed model has that name.
    """
    manifest = read_manifest(manifest_path)
    rows = _rows(manifest)
    _refuse_generated(rows)
    installed = [read_pack(folder) for folder in packs_in_use().values()]
    packs = _named(installed, model)
    by_role = {pack.card.role: pack for pack in installed}
    for pack in packs:
        # All are asked first: a refusal must not come after minutes of another model's work.
        for one in (pack, *beside(pack.card, by_role).values()):
            _refuse_trained_on(_with_parents(one.card, installed), rows)
    counted = _Counted(progress, len(rows) * len(packs))
    models = {
        pack.card.key: model_report(
            pack.card,
            _by_source(Measurement.of(pack, by_role), manifest, rows, counted, draws),
        )
        for pack in packs
    }
    document = {
        "schema": SCHEMA,
        "manifest": f"{manifest.folder.name}/{manifest_path.name}"
        if manifest_path.is_file()
        else manifest.folder.name,
        "draws": draws,
        "models": models,
    }
    _write(out, json.dumps(document, indent=1, allow_nan=False) + "\n")
    # Never over the JSON, whatever that is called.
    name = f"{out.name}.html" if out.suffix == ".html" else f"{out.stem}.html"
    _write(out.with_name(name), html_page(document))


class _Counted:
    """Says how far the images are, over all models."""

    def __init__(self, progress: Progress, of: int) -> None:
        self._progress, self._of, self._done = progress, of, 0

    def __call__(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            yield item
            self._done += 1
            self._progress(self._done, self._of)


def _rows(manifest: Manifest) -> tuple[ManifestRow, ...]:
    rows = tuple(row for row in manifest.rows if row.split is Split.TEST) or manifest.rows
    if not rows:
        raise DataError(mark("The manifest lists no image to measure on."))
    return rows


def _refuse_generated(rows: Iterable[ManifestRow]) -> None:
    """How a model does on what another model made says nothing of patients."""
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


def _named(packs: list[ModelPack], model: str | None) -> list[ModelPack]:
    if model is not None:
        packs = [pack for pack in packs if model in (pack.card.name, pack.card.key)]
    if not packs:
        raise ModelError(mark("There is no such model; `mammoscope models list` names them."))
    return packs


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


def _by_source(
    model: Measurement,
    manifest: Manifest,
    rows: Sequence[ManifestRow],
    counted: _Counted,
    draws: int,
) -> dict[str, dict[str, object]]:
    reports: dict[str, dict[str, object]] = {}
    for source in (*Source, None):
        chosen = [row for row in rows if row.source is source]
        seen: list[ManifestRow] = []
        key = source.value if source else "source unknown"
        outcomes = model.run(_shown(model, manifest, counted(chosen), seen))
        if not seen:
            continue
        name = f"{manifest.folder.name}, {key}"
        reports[key] = data_report(model.card, seen, outcomes, name, draws=draws)
    return reports


def _shown(
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


def _with_parents(card: ModelCard, installed: Iterable[ModelPack]) -> ModelCard:
    """A card already holds its parents' lists; one written by hand may only name them."""
    return inherit(card, [pack.card for pack in installed if pack.card.key in card.parents])


def _refuse_trained_on(card: ModelCard, rows: Iterable[ManifestRow]) -> None:
    patients, images = set(card.training_patients), set(card.training_images)
    for row in rows:
        if name_sha256(row.patient_id) in patients:
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


def _write(path: Path, text: str) -> None:
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")
