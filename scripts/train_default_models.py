"""Train the models that ship, from nothing: simulated images and mini-MIAS films.

    python scripts/train_default_models.py --mini-mias FOLDER --work FOLDER

`--mini-mias` is a folder with `labels.csv` and the films it names. `--work` keeps prepared
images and checkpoints: stopped at any moment, the same command goes on. Two slow cores need
about two hours. The packs go to `resources/models`.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.data.canvases import (
    CanvasItem,
    CanvasSet,
    read_canvases,
    split_by_patient,
    write_canvases,
)
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.mammo.prepare import PrepareSpec
from ml.phantom.vendors import UNSEEN_VENDORS
from ml.places import MODELS
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import DetectorRecipe, train_detector
from ml.train.packs import HeldOut, Origin, make_pack
from ml.train.patches import PatchRecipe, train_patches
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

ROLES = ("detector", "classifier")
VERSION = "0.2.0"
# Simulated sets; their seeds share no woman. The test set's machines are never trained on.
TEACHING = {"lesion_rate": 0.65, "most_lesions": 4}
PHANTOMS = {
    "train": (PhantomSet(1_000_000, 1600, **TEACHING),),
    "validation": (PhantomSet(2_000_000, 240),),
    "test": (PhantomSet(3_000_000, 400, vendors=UNSEEN_VENDORS),),
}
# Lesions with a model observer's d' of at least this count for the promise on phantoms.
DETECTABLE = 3.0
FILMS_AT_MOST = 400
CROP_PX = 384
PRETRAIN = DetectorRecipe(steps=6000, real_share=0.0)
FINETUNE = DetectorRecipe(steps=300, rate=4e-4, warmup=20)
PATCHES = PatchRecipe(steps=600)
CLASSIFIER = ClassifierRecipe(steps=600)
DATA = (
    "{phantoms} simulated images of {women} women (ml.phantom, seeds from {seeds}; ours) "
    "and {films} films of {patients} women of mini-MIAS (Suckling 1994; research use only, no "
    "rent, lease or sale; folds 2 to 4 of 5 by a hash of the patient). Distortions and "
    "asymmetries are taught as masses. The classifier starts from ImageNet weights of "
    "EfficientNet-Lite0 (Apache-2.0)."
)

log = logging.getLogger("train_default_models")


@dataclass(frozen=True, slots=True)
class Data:
    """Prepared images: simulated, by purpose, and films, by purpose."""

    phantoms: dict[str, CanvasSet]
    films: CanvasSet
    film_indices: dict[str, tuple[int, ...]]


def main() -> None:
    """Run every step that is not done yet."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    data = prepared_data(given.work, given.mini_mias)
    for role in given.roles:
        crop = (CROP_PX, CROP_PX) if role == "detector" else (0, 0)
        phantoms, films = _sources(data, *crop)
        log.info("training the %s", role)
        if role == "detector":
            model = detector_of(phantoms, films, given.work)
        else:
            model = classifier_of(data, phantoms, films, given.work)
        pack = make_pack(MODELS / role, role, model, origin(role, data), held_out(data))
        for figure in pack.card.figures:
            log.info("%s: %s", role, figure)


def detector_of(phantoms: CropSource, films: CropSource, work: Path) -> nn.Module:
    """Phantoms first, then phantoms and films side by side."""
    device = device_at_hand().kind
    seen = train_detector(phantoms, None, PRETRAIN, work / "pretrained", device=device)
    start = seen.state_dict()
    return train_detector(phantoms, films, FINETUNE, work, start=start, device=device)


def classifier_of(data: Data, phantoms: CropSource, films: CropSource, work: Path) -> nn.Module:
    """Patches first, then whole images."""
    patches = _sources(data, CROP_PX, CROP_PX)
    device = device_at_hand().kind
    seen = train_patches(*patches, PATCHES, work, device=device)
    start = seen.state_dict()
    return train_classifier(phantoms, films, CLASSIFIER, work, start=start, device=device)


def prepared_data(work: Path, mini_mias: Path) -> Data:
    """Make, or find, the prepared images."""
    spec = PrepareSpec()
    films = _canvases(work / "films", mini_mias_canvases(mini_mias, spec), FILMS_AT_MOST, spec)
    phantoms = {
        name: _canvases(work / name, _simulated(sets, spec), sum(s.count for s in sets), spec)
        for name, sets in PHANTOMS.items()
    }
    purposes = [split_by_patient(item.patient_id).value for item in films.items]
    indices = {
        name: tuple(i for i, purpose in enumerate(purposes) if purpose == name)
        for name in PHANTOMS
    }
    return Data(phantoms, films, indices)


def _simulated(
    sets: tuple[PhantomSet, ...], spec: PrepareSpec
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    for one in sets:
        yield from phantom_canvases(one, spec, processes=os.cpu_count() or 1)


def origin(role: str, data: Data) -> Origin:
    """What the card says of the training."""
    simulated = data.phantoms["train"].items
    films = tuple(data.films.items[i] for i in data.film_indices["train"])
    women = len({item.patient_id for item in simulated})
    seeds = "; ".join(f"{s.first_seed} on" for s in PHANTOMS["train"])
    text = DATA.format(
        phantoms=len(simulated),
        women=women,
        seeds=seeds,
        films=len(films),
        patients=len({item.patient_id for item in films}),
    )
    return Origin(f"mammoscope-{role}", VERSION, text, data.films.spec, films)


def held_out(data: Data) -> HeldOut:
    """Validation pooled, for one threshold; tests apart."""
    films = {name: tuple(data.films.pairs(data.film_indices[name])) for name in PHANTOMS}
    return HeldOut(
        "simulated images and mini-MIAS films for validation",
        (*data.phantoms["validation"].pairs(), *films["validation"]),
        {
            "mini-MIAS films, test": films["test"],
            "simulated images, test": tuple(data.phantoms["test"].pairs()),
        },
    )


def _sources(data: Data, rows: int, columns: int) -> tuple[CropSource, CropSource]:
    spec = data.films.spec
    size = (rows or spec.rows, columns or spec.columns)
    simulated = data.phantoms["train"]
    return (
        CropSource(simulated, tuple(range(len(simulated.items))), *size),
        CropSource(data.films, data.film_indices["train"], *size),
    )


def _canvases(
    folder: Path,
    images: Iterator[tuple[NDArray[np.uint16], CanvasItem]],
    count: int,
    spec: PrepareSpec,
) -> CanvasSet:
    if not (folder / "canvases.json").exists():
        log.info("preparing %s", folder.name)
        write_canvases(folder, images, count, spec)
    return read_canvases(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the models that ship.")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=ROLES)
    return parser


if __name__ == "__main__":
    main()
