"""Measure the models that ship on the images that none of them saw, and write the reports.

    python scripts/report_models.py --work FOLDER

`--work` is the folder of `train_default_models.py`. The reports go to `resources/docs/reports`;
`write_results.py` makes the page of them. Simulated and real images are never pooled.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from train_default_models import HELD_OUT
from write_results import write_report

from ml.data.canvases import read_canvases
from ml.evaluate.figures import DETECTABLE
from ml.evaluate.measurement import Measurement
from ml.evaluate.report import SCHEMA, data_report, model_report
from ml.in_use import packs_in_use
from ml.manifest import ManifestRow, ReferenceStandard, Split
from ml.phantom.observer import found_by_search
from ml.registry import read_pack
from ml.splits import split_by_patient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.data.canvases import CanvasSet, Pair
    from ml.registry import ModelPack

PHANTOMS_NOTE = (
    "{count} images of women from seed {seed} on, of makers that no model was trained on; one "
    "image in two has a lesion. Made and chosen before any training. d' is that of a "
    "non-prewhitening observer with an eye filter at life size; it knows what it looks for and "
    "where, so it is a bound."
)
SEARCH_NOTE = (
    "Had it to search the breast, at places of the lesion's own size that are independent of "
    "one another, it would find {share:.2f} of the lesions of d' {least:g} or more at {rate:g} "
    "false marks an image (Swensson 1996)."
)
SEARCH_RATE = 0.25
FILMS_NOTE = "The films of the women whose hash says test: {count} of {patients}. Few."


def main() -> None:
    """Measure every model on both sets."""
    work = _parser().parse_args().work
    packs = {role: read_pack(folder) for role, folder in packs_in_use().items()}
    simulated, films = read_canvases(work / "test"), read_canvases(work / "films")
    items = films.items
    held_out = [
        i for i, item in enumerate(items) if split_by_patient(item.patient_id) is Split.TEST
    ]
    phantoms = HELD_OUT["test"]
    note = PHANTOMS_NOTE.format(count=phantoms.count, seed=phantoms.first_seed)
    searched = SEARCH_NOTE.format(
        share=share_by_search(simulated), rate=SEARCH_RATE, least=DETECTABLE
    )
    _write(
        "phantoms",
        "Phantoms of unseen seeds and makers",
        f"{note} {searched}",
        _models(packs, tuple(simulated.pairs()), "phantom", ReferenceStandard.SIMULATION),
    )
    patients = len({items[i].patient_id for i in held_out})
    _write(
        "mini_mias_test",
        "mini-MIAS, one fold",
        FILMS_NOTE.format(count=len(held_out), patients=patients),
        _models(packs, tuple(films.pairs(held_out)), "real", ReferenceStandard.READER),
    )


def share_by_search(simulated: CanvasSet) -> float:
    """Of the lesions that can be seen, those that the model observer would find by itself."""
    found: list[float] = []
    for pixels, item in simulated.images():
        breast = float(np.count_nonzero(pixels))
        for box, seen in zip(item.box_values(), item.detectability, strict=True):
            if seen >= DETECTABLE:
                found.append(found_by_search(seen, breast / box.area, SEARCH_RATE))
    return float(np.mean(found))


def _models(
    packs: Mapping[str, ModelPack],
    pairs: tuple[Pair, ...],
    source: str,
    standard: ReferenceStandard,
) -> dict[str, object]:
    measured: dict[str, object] = {}
    for pack in packs.values():
        outcomes = Measurement.of(pack, packs).run(pairs)
        if not outcomes:
            continue  # films are too coarse for the detector of calcifications
        rows = [
            ManifestRow(o.item.image_id, o.item.patient_id, reference_standard=standard)
            for o in outcomes
        ]
        part = data_report(pack.card, rows, outcomes, f"{source} images, test")
        measured[pack.card.key] = model_report(pack.card, {source: part})
    return measured


def _write(name: str, title: str, note: str, models: dict[str, object]) -> None:
    document = {"schema": SCHEMA, "title": title, "note": note, "models": models}
    write_report(name, document)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the models that ship.")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    main()
