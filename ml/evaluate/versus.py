"""A new model beside the one in use, on the test part of a manifest: what the gate is told.

Real images count where there are any; simulated ones are never pooled with them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.evaluate.gate import Compared, Margins, compare_classifiers, compare_detectors
from ml.evaluate.measurement import (
    Measurement,
    beside,
    refuse_generated,
    refuse_trained_on,
    shown,
    with_parents,
)
from ml.hashed import names_sha256
from ml.manifest import Source, Split
from ml.splits import split_of
from ml.texts import mark
from ml.versions import FrozenPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml.evaluate.outcomes import Judged, Marked
    from ml.manifest import Manifest, ManifestRow
    from ml.registry import ModelPack

SOURCES = (Source.REAL, Source.PHANTOM, None)


def rows_for_testing(manifest: Manifest) -> tuple[ManifestRow, ...]:
    """The rows that may decide: for testing (by `ml.splits.split_of`), of one source.

    Real ones alone where there is any, be it one: no phantom stands in for a patient who is
    missing, and few patients get the answer that they are too few.

    Raises
    ------
    DataError
        Where there are none, or a generated image is among them.
    """
    rows = tuple(row for row in manifest.rows if split_of(row) is Split.TEST)
    refuse_generated(rows)
    for source in SOURCES:
        chosen = tuple(row for row in rows if row.source is source)
        if chosen:
            return chosen
    raise DataError(
        mark("The manifest names no row for testing; give some patients the split test.")
    )


def part_of(rows: Sequence[ManifestRow]) -> FrozenPart:
    """What a test part is known by: its patients, whatever their files are called.

    So a part is the same one when its data set is moved, or merged with others for training;
    merging may give a patient another name, so that she is known by both.
    """
    named = sorted({row.patient_id for row in rows})
    whole = hashlib.sha256("\n".join(named).encode()).hexdigest()
    return FrozenPart(whole, frozenset[str]().union(*map(names_sha256, named)))


def compare_packs(
    new: ModelPack,
    live: ModelPack,
    manifest: Manifest,
    installed: Mapping[str, ModelPack],
    margins: Margins,
    uses: int = 1,
) -> tuple[Compared, ...]:
    """Both models on the same images, each at its own first operating point.

    Parameters
    ----------
    new, live
        Of one role.
    installed
        The other models in use, by role: both run beside the same.
    uses
        How often this test part was asked, this time included.

    Raises
    ------
    DataError
        Where either was trained on a patient or an image of the test part.
    ValueError
        Where the two are of different roles.
    """
    if new.card.role != live.card.role:
        raise ValueError("models of two roles cannot stand in for one another")
    rows = rows_for_testing(manifest)
    known = [*installed.values(), new, live]
    others = {**beside(new.card, installed), **beside(live.card, installed)}
    for pack in (new, live, *others.values()):
        refuse_trained_on(with_parents(pack.card, known), rows)
    said = [_said(pack, manifest, rows, installed) for pack in (new, live)]
    thresholds = tuple(pack.card.operating_points[0].threshold for pack in (new, live))
    points = cast("tuple[float, float]", thresholds)
    if new.card.role == "classifier":
        judged = cast("list[list[Judged]]", said)
        return compare_classifiers(judged[0], judged[1], points, margins, uses)
    marked = cast("list[list[Marked]]", said)
    return compare_detectors(marked[0], marked[1], points, margins, uses)


def _said(
    pack: ModelPack,
    manifest: Manifest,
    rows: Sequence[ManifestRow],
    installed: Mapping[str, ModelPack],
) -> list[Marked] | list[Judged]:
    model = Measurement.of(pack, {**installed, pack.card.role: pack})
    return model.run(shown(model, manifest, rows, []))
