"""`mammoscope evaluate`: figures of the models on the images that a manifest lists."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ml.data.sources.listed import listed_canvases
from ml.errors import DataError, ModelError
from ml.evaluate.figures import classifier_figures, detector_figures
from ml.evaluate.outcomes import judge_images, mark_images
from ml.infer.choice import choose_engine
from ml.manifest import Source, Split, read_manifest
from ml.registry import default_packs, name_sha256, read_pack
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelCard, ModelPack


def main(manifest_path: Path, model: str | None, out: Path) -> None:
    """Measure every installed model, or the one named, and write its figures as JSON.

    Rows for testing are used where the manifest names any, else all. Generated and simulated
    images are never pooled with real ones: each source has its own figures.

    Raises
    ------
    DataError
        Where a patient was trained on, or there is nothing to measure.
    ModelError
        Where no installed model has that name.
    """
    manifest = read_manifest(manifest_path)
    rows = _rows(manifest)
    packs = _packs(model)
    document: dict[str, object] = {"manifest": manifest_path.name, "models": {}}
    figures = {
        f"{pack.card.name}@{pack.card.version}": _figures(pack, manifest, rows)
        for pack in packs
    }
    document["models"] = figures
    temporary = out.with_name(f".{out.name}.part")
    temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    temporary.replace(out)


def _rows(manifest: Manifest) -> tuple[ManifestRow, ...]:
    rows = tuple(row for row in manifest.rows if row.split is Split.TEST) or manifest.rows
    if not rows:
        raise DataError(mark("The manifest lists no image to measure on."))
    return rows


def _packs(model: str | None) -> list[ModelPack]:
    packs = [read_pack(folder) for folder in default_packs().values()]
    if model is not None:
        named = {pack.card.name: pack for pack in packs}
        named.update({f"{pack.card.name}@{pack.card.version}": pack for pack in packs})
        packs = [named[model]] if model in named else []
    if not packs:
        raise ModelError(mark("There is no such model; `mammoscope models list` names them."))
    return packs


def _figures(
    pack: ModelPack, manifest: Manifest, rows: tuple[ManifestRow, ...]
) -> list[dict[str, object]]:
    _refuse_training_patients(pack.card, rows)
    graph = choose_engine().load(pack)
    figures: list[dict[str, object]] = []
    for source in (*Source, None):
        chosen = [row for row in rows if row.source is source]
        if not chosen:
            continue
        name = f"{manifest.folder.name}, {source.value if source else 'source unknown'}"
        images = listed_canvases(manifest, chosen, pack.card.prepare)
        if pack.card.role == "detector":
            found = detector_figures(mark_images(graph, images), name)
        else:
            found = classifier_figures(judge_images(graph, images), name)
        figures.extend(asdict(figure) for figure in found)
    return figures


def _refuse_training_patients(card: ModelCard, rows: tuple[ManifestRow, ...]) -> None:
    trained = set(card.training_patients)
    for row in rows:
        if name_sha256(row.patient_id) in trained:
            raise DataError(
                mark(
                    "The model {model} was trained on a patient of this manifest ({path}); "
                    "leave her out."
                ),
                model=card.name,
                path=row.path,
            )
