"""Train the models that ship, from nothing: simulated images and mini-MIAS films.

    python scripts/train_default_models.py --mini-mias FOLDER --work FOLDER [--times 10]

`--mini-mias` is a folder with `labels.csv` and the films it names. `--work` keeps prepared
images and checkpoints: stopped at any moment, the same command goes on. Two quiet cores need
some five hours, three quarters of an hour of them to simulate. `--times` is for a GPU: so many
times the simulated women and the steps. The packs go to `resources/models`.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from default_generator import generator_of

from ml.data.canvases import (
    CanvasSet,
    Order,
    begun,
    only_calcifications,
    only_seen,
    read_canvases,
    write_canvases,
    write_order,
)
from ml.data.crop_store import StorePlan, fill_store, stored_images
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.data.sources.phantoms import PhantomSet, phantom_canvases, phantom_pairs
from ml.mammo.prepare import FINE, WHOLE, Wants
from ml.phantom.vendors import UNSEEN_VENDORS
from ml.places import MODELS
from ml.registry import BESIDE, FINE_ROLE, read_pack
from ml.splits import split_by_patient
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import DetectorRecipe, train_detector
from ml.train.hard import with_hard
from ml.train.packs import HeldOut, Origin, make_pack
from ml.train.patches import PatchRecipe, train_patches
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn


# Each is measured with those before it beside it, as it is used.
GENERATOR = "generator"
ROLES = (FINE_ROLE, "detector", "classifier", GENERATOR)
# 0.2.1 was taught anew: the patches of 0.2.0 had begun with ImageNet's weights alone.
VERSIONS = {FINE_ROLE: "0.2.0", "detector": "0.2.0", "classifier": "0.2.1"}
# Simulated sets; their seeds share no woman. The test set's machines are never trained on.
TRAINING = PhantomSet(1_000_000, 1600, lesion_rate=0.65, most_lesions=4)
# The first half of these women in fine pixels, of which only pieces are kept.
FINE_TRAINING = replace(TRAINING, count=800, pixel_mm=FINE.pixel_mm)
PIECES = StorePlan(side=576, hard=2, random=1)
HELD_OUT = {
    "validation": PhantomSet(2_000_000, 240, pixel_mm=FINE.pixel_mm),
    "test": PhantomSet(3_000_000, 400, pixel_mm=FINE.pixel_mm, vendors=UNSEEN_VENDORS),
}
# Below it a simulated lesion is not taught: 1 is three of four right in a choice of two.
LEAST_TAUGHT = 1.0
FILMS_AT_MOST = 400
CROP_PX = 320
PRETRAIN = DetectorRecipe(steps=8000, real_share=0.0)
FINETUNE = DetectorRecipe(steps=500, rate=4e-4, warmup=20)
CALCIFICATIONS = DetectorRecipe(steps=3000, real_share=0.0, seed=20261126)
PATCHES = PatchRecipe(steps=2000, real_share=0.0)
FINETUNE_PATCHES = PatchRecipe(steps=300, rate=2e-4, warmup=20)
CLASSIFIER = ClassifierRecipe(steps=600)
SIMULATED = "{phantoms} simulated images of {women} women (ml.phantom, seeds from {seed}; ours)"
FILMED = (
    " and {films} films of {patients} women of mini-MIAS (Suckling 1994; research use only, no "
    "rent, lease or sale; folds 2 to 4 of 5 by a hash of the patient). Distortions and "
    "asymmetries are taught as masses."
)
IMAGENET = " The classifier starts from ImageNet weights of EfficientNet-Lite0 (Apache-2.0)."

log = logging.getLogger("train_default_models")
AnyRecipe = TypeVar("AnyRecipe", DetectorRecipe, PatchRecipe, ClassifierRecipe)


@dataclass(frozen=True, slots=True)
class Data:
    """Prepared images: simulated ones for training, those held out, and films by purpose.

    Attributes
    ----------
    work
        Where they, and what is trained on them, are kept.
    times
        Of every recipe's steps.
    """

    work: Path
    simulated: CanvasSet
    held_out: dict[str, CanvasSet]
    films: CanvasSet
    film_indices: dict[str, tuple[int, ...]]
    times: int = 1

    def sources(self, rows: int, columns: int) -> tuple[CropSource, CropSource]:
        """Simulated images and films for training, in pieces of a size."""
        simulated = taught(self.simulated)
        return (
            CropSource(simulated, tuple(range(len(simulated.items))), rows, columns),
            CropSource(self.films, self.film_indices["train"], rows, columns),
        )

    def longer(self, recipe: AnyRecipe) -> AnyRecipe:
        """The recipe with so many times its steps."""
        return replace(recipe, steps=recipe.steps * self.times)


def main() -> None:
    """Run every step that is not done yet."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    analyzers = [role for role in given.roles if role in TRAINED]
    if analyzers:
        train_analyzers(analyzers, prepared_data(given.work, given.mini_mias, given.times))
    if GENERATOR in given.roles:
        generator_of(given.work, given.mini_mias, device_at_hand().kind, given.times)


def train_analyzers(roles: Sequence[str], data: Data) -> None:
    """Train and measure the models that look at images, in order."""
    for role in roles:
        log.info("training: %s", role)
        model = TRAINED[role](data)
        beside = {other: read_pack(MODELS / other) for other in BESIDE[role]}
        pack = make_pack(
            MODELS / role, role, model, origin(role, data), held_out(role, data), beside=beside
        )
        for figure in pack.card.figures:
            log.info("%s: %s", role, figure)


def detector_of(data: Data) -> nn.Module:
    """Phantoms first, then phantoms and films with what those weights take for lesions."""
    phantoms, films = data.sources(CROP_PX, CROP_PX)
    seen, device = pretrained_of(data), device_at_hand().kind
    phantoms, films = (with_hard(s, seen, device=device) for s in (phantoms, films))
    start = seen.state_dict()
    recipe = data.longer(FINETUNE)
    return train_detector(phantoms, films, recipe, data.work, start=start, device=device)


def pretrained_of(data: Data) -> nn.Module:
    """A detector that has seen phantoms only."""
    phantoms, _ = data.sources(CROP_PX, CROP_PX)
    folder, device = data.work / "pretrained", device_at_hand().kind
    return train_detector(phantoms, None, data.longer(PRETRAIN), folder, device=device)


def calcifications_of(data: Data) -> nn.Module:
    """Phantoms alone, as films of 0.2 mm show no single specks; the detector is the start."""
    pieces = fine_pieces(data.work / "fine", data.times)
    source = CropSource(pieces, tuple(range(len(pieces.items))), CROP_PX, CROP_PX)
    start, device = pretrained_of(data).state_dict(), device_at_hand().kind
    recipe, folder = data.longer(CALCIFICATIONS), data.work / FINE_ROLE
    return train_detector(source, None, recipe, folder, start=start, device=device)


def classifier_of(data: Data) -> nn.Module:
    """Patches first, of phantoms and then of films too; then whole images."""
    device = device_at_hand().kind
    phantoms, films = data.sources(CROP_PX, CROP_PX)
    recipe, folder = data.longer(PATCHES), data.work / "pretrained"
    seen = train_patches(phantoms, None, recipe, folder, device=device)
    start, recipe = seen.state_dict(), data.longer(FINETUNE_PATCHES)
    tuned = train_patches(phantoms, films, recipe, data.work, start=start, device=device)
    start, whole = tuned.state_dict(), data.sources(WHOLE.rows, WHOLE.columns)
    last = data.longer(CLASSIFIER)
    return train_classifier(*whole, last, data.work, start=start, device=device)


TRAINED: dict[str, Callable[[Data], nn.Module]] = {
    FINE_ROLE: calcifications_of,
    "detector": detector_of,
    "classifier": classifier_of,
}


def prepared_data(work: Path, mini_mias: Path, times: int = 1) -> Data:
    """Make, or find, the prepared images."""
    if _missing(work / "films"):
        films = mini_mias_canvases(mini_mias, WHOLE)
        write_canvases(work / "films", films, FILMS_AT_MOST, WHOLE)
    if _missing(work / "train"):
        women = replace(TRAINING, count=TRAINING.count * times)
        _draw(work / "train", women, Order(women.count, WHOLE))
    for name, phantoms in HELD_OUT.items():
        if _missing(work / name):
            _draw(work / name, phantoms, Order(phantoms.count, WHOLE, FINE))
    films = read_canvases(work / "films")
    purposes = [split_by_patient(item.patient_id).value for item in films.items]
    indices = {
        name: tuple(i for i, purpose in enumerate(purposes) if purpose == name)
        for name in ("train", *HELD_OUT)
    }
    known = {name: read_canvases(work / name) for name in HELD_OUT}
    return Data(work, read_canvases(work / "train"), known, films, indices, times)


def _draw(folder: Path, phantoms: PhantomSet, order: Order) -> None:
    """Draw phantoms, from where an interruption left off."""
    begin = begun(folder, order)
    wants = Wants(order.spec, (), order.fine)
    count = os.cpu_count() or 1
    pairs = phantom_pairs(phantoms, wants, processes=count, begin=begin)
    write_order(folder, pairs, order, begin)


def fine_pieces(folder: Path, times: int) -> CanvasSet:
    """Pieces of fine canvases about calcifications and what may look like them."""
    women = replace(FINE_TRAINING, count=FINE_TRAINING.count * times)
    begin = stored_images(folder)
    images = phantom_canvases(women, FINE, processes=os.cpu_count() or 1, begin=begin)
    asked = ((p, only_calcifications(only_seen(i, LEAST_TAUGHT))) for p, i in images)
    return fill_store(folder, asked, FINE, PIECES)


def origin(role: str, data: Data) -> Origin:
    """What the card says of the training."""
    fine = role == FINE_ROLE
    simulated = data.simulated.items
    films = tuple(data.films.items[i] for i in data.film_indices["train"])
    films = () if fine else films
    text = SIMULATED.format(
        phantoms=len(simulated),
        women=len({item.patient_id for item in simulated}),
        seed=TRAINING.first_seed,
    )
    patients = len({item.patient_id for item in films})
    text += FILMED.format(films=len(films), patients=patients) if films else "."
    text += IMAGENET if role == "classifier" else ""
    spec = FINE if fine else WHOLE
    return Origin(f"mammoscope-{role}", VERSIONS[role], text, spec, (*simulated, *films))


def held_out(role: str, data: Data) -> HeldOut:
    """Validation pooled, for one threshold; tests apart."""
    simulated = {name: tuple(known.pairs()) for name, known in data.held_out.items()}
    tests = {"simulated images, test": simulated["test"]}
    if role == FINE_ROLE:
        return HeldOut("simulated images for validation", simulated["validation"], tests)
    films = {name: tuple(data.films.pairs(data.film_indices[name])) for name in HELD_OUT}
    return HeldOut(
        "simulated images and mini-MIAS films for validation",
        (*simulated["validation"], *films["validation"]),
        {"mini-MIAS films, test": films["test"], **tests},
    )


def taught(simulated: CanvasSet) -> CanvasSet:
    """Simulated images with the lesions that somebody could see."""
    items = tuple(only_seen(item, LEAST_TAUGHT) for item in simulated.items)
    return replace(simulated, items=items)


def _missing(folder: Path) -> bool:
    if (folder / "canvases.json").exists():
        return False
    log.info("preparing %s", folder.name)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the models that ship.")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--times", type=int, default=1, metavar="N")
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=ROLES)
    return parser


if __name__ == "__main__":
    main()
