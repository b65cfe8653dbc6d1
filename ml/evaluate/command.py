"""`mammoscope evaluate`: a report of the models on the images that a manifest lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ml.errors import DataError, ModelError
from ml.evaluate.bootstrap import DRAWS
from ml.evaluate.measurement import (
    Measurement,
    beside,
    refuse_generated,
    refuse_trained_on,
    shown,
    with_parents,
)
from ml.evaluate.page import html_page
from ml.evaluate.report import SCHEMA, data_report, model_report
from ml.evaluate.versus import part_of
from ml.files import replacing
from ml.in_use import own_version, own_versions, packs_in_use
from ml.manifest import Source, Split, read_manifest
from ml.registry import read_pack
from ml.splits import split_of
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeVar

    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelPack

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
    """Measure every model in use, or the one named; write JSON, and HTML beside it.

    Rows for testing are used where the manifest names any (then those of no split are where a
    training takes them), else all. Generated images measure nothing and are refused; simulated
    ones are never pooled with real ones: each source has its own figures. For one of the
    user's own versions the gate counts it as a use of these patients.

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
        Where no installed model, and none of the user's own versions, has that name.
    """
    manifest = read_manifest(manifest_path)
    rows = _rows(manifest)
    refuse_generated(rows)
    in_use = [read_pack(folder) for folder in packs_in_use().values()]
    packs = _named(in_use, model)
    by_role = {pack.card.role: pack for pack in in_use}
    installed = [*in_use, *(pack for pack in packs if pack not in in_use)]
    for pack in packs:
        # All are asked first: a refusal must not come after minutes of another model's work.
        for one in (pack, *beside(pack.card, by_role).values()):
            refuse_trained_on(with_parents(one.card, installed), rows)
    for pack in packs:
        _count_use(pack, rows)
    counted = _Counted(progress, len(rows) * len(packs))
    models = {
        pack.card.key: model_report(
            pack.card,
            _by_source(Measurement.of(pack, by_role), manifest, rows, counted, draws),
        )
        for pack in packs
    }
    file = f"/{manifest_path.name}" if manifest_path.is_file() else ""
    name = f"{manifest.folder.name}{file}"
    document = {"schema": SCHEMA, "manifest": name, "draws": draws, "models": models}
    _write(out, json.dumps(document, indent=1, allow_nan=False) + "\n")
    # Never over the JSON, whatever that is called.
    name = f"{out.name}.html" if out.suffix == ".html" else f"{out.stem}.html"
    _write(out.with_name(name), html_page(document))


def _count_use(pack: ModelPack, rows: Sequence[ManifestRow]) -> None:
    """Who looks at several versions and compares the best has asked for each of them."""
    versions = own_versions()
    if versions is not None and own_version(pack.card.key):
        versions.test(pack.card.role, pack.card.key, part_of(rows))


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
    named = any(row.split is not None for row in manifest.rows)
    chosen = tuple(row for row in manifest.rows if named and split_of(row) is Split.TEST)
    rows = chosen or manifest.rows
    if not rows:
        raise DataError(mark("The manifest lists no image to measure on."))
    return rows


def _named(packs: list[ModelPack], model: str | None) -> list[ModelPack]:
    if model is not None:
        packs = [pack for pack in packs if model in (pack.card.name, pack.card.key)]
        own = None if packs else own_version(model)
        packs += [read_pack(own)] if own else []
    if not packs:
        raise ModelError(
            mark(
                "There is no such model; `mammoscope models list` names those in use, "
                "`mammoscope models versions` your own."
            )
        )
    return packs


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
        outcomes = model.run(shown(model, manifest, counted(chosen), seen))
        if not seen:
            continue
        name = f"{manifest.folder.name}, {key}"
        reports[key] = data_report(model.card, seen, outcomes, name, draws=draws)
    return reports


def _write(path: Path, text: str) -> None:
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")
