"""The generator that ships, from nothing: draw what it is taught, then teach it.

    python scripts/default_generator.py draw  --work FOLDER --mini-mias FOLDER
    python scripts/default_generator.py teach --work FOLDER --mini-mias FOLDER

`draw` takes ten minutes of two cores, `teach` an hour of one GPU. On two cores, `--part 0.2`
takes 0.2 of the steps, in an hour and a half. `--mini-mias` has the edition of 256 rows beside
it. Stopped at any moment, the same command goes on.
"""

from __future__ import annotations

import argparse
import copy
import csv
import hashlib
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ml.data.augment import NONE
from ml.data.canvases import (
    CanvasItem,
    CanvasSet,
    read_canvases,
    split_by_patient,
    write_canvases,
)
from ml.data.crop_store import fill_store, stored_images
from ml.data.sources.mini_mias import mini_mias_canvases, mini_mias_with_muscle
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.mammo.prepare import FINE
from ml.manifest import Split
from ml.models.generator import build_text_encoder, build_tokenizer
from ml.places import MODELS
from ml.registry import name_sha256
from ml.synth.known import known_of
from ml.synth.pack import GeneratorCard
from ml.synth.prompts import prompt_text, words_of
from ml.synth.teaching import (
    ANATOMY,
    FILM_DENSITIES,
    SIDE_PX,
    area_cm2,
    area_word,
    as_hung,
    healthy_prompt,
    vendor_word,
)
from ml.train.crops import CropSource
from ml.train.generator import (
    CROP_PX,
    AutoencoderRecipe,
    DenoiserRecipe,
    Latents,
    encoded,
    standardize,
    train_autoencoder,
    train_denoiser,
)
from ml.train.generator_data import PIECES, as_unit, piece_latents, standardized, tokens
from ml.train.generator_pack import save_generator
from ml.train.packs import INTENDED_USE, LICENCE
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from numpy.typing import NDArray
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.synth.pack import GeneratorPack
    from ml.train.generator import Conditioned

log = logging.getLogger("default_generator")
# Women of their own: no other model has seen them, so it may judge what was learnt of them.
HEALTHY = PhantomSet(5_000_000, 2400, lesion_rate=0.0, pixel_mm=ANATOMY.pixel_mm / 2)
DISEASED = PhantomSet(6_000_000, 1000, lesion_rate=1.0, most_lesions=4, pixel_mm=FINE.pixel_mm)
AUTOENCODER = AutoencoderRecipe(steps=20000)
BREASTS = DenoiserRecipe(steps=20000, rate=8e-4, warmup=100)
LESIONS = replace(BREASTS, steps=10000, seed=20261129)
VERSION = "0.1.0"
GENERATOR = MODELS / "generator"
DATA = (
    "{breasts} simulated healthy breasts and {pieces} pieces of simulated breasts with lesions "
    "(ml.phantom; ours), and {films} films of mini-MIAS (Suckling 1994; research use only, no "
    "rent, lease or sale; folds 2 to 4 of 5 by a hash of the patient) in two editions; "
    "{women} women in all. Lesions were learnt from simulated ones only."
)
# A film is shown so often for each simulated breast: there are few, and they are the real ones.
FILM_TIMES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """All that the generator is taught.

    Attributes
    ----------
    films
        Whole films of women in training, without lesion, by the words for their density.
    with_muscle
        The same women's films with the muscle, of unknown scale: for the autoencoder only.
    """

    breasts: CanvasSet
    pieces: CanvasSet
    films: CanvasSet
    with_muscle: CanvasSet
    densities: dict[str, str]


def taught(work: Path, mini_mias: Path) -> Taught:
    """Make, or find, the prepared images."""
    processes = os.cpu_count() or 1
    if not (work / "breasts" / "canvases.json").exists():
        images = phantom_canvases(HEALTHY, ANATOMY, processes=processes)
        write_canvases(work / "breasts", images, HEALTHY.count, ANATOMY)
    if not (work / "small_films" / "canvases.json").exists():
        films = _of_training(mini_mias_canvases(mini_mias, ANATOMY))
        write_canvases(work / "small_films", films, len(films), ANATOMY)
    if not (work / "muscle_films" / "canvases.json").exists():
        beside = mini_mias.parent / "mini_mias_256_with_pectoral"
        films = _of_training(mini_mias_with_muscle(beside, ANATOMY))
        write_canvases(work / "muscle_films", films, len(films), ANATOMY)
    begin = stored_images(work / "lesions")
    images = phantom_canvases(DISEASED, FINE, processes=processes, begin=begin)
    pieces = fill_store(work / "lesions", images, FINE, PIECES)
    with (mini_mias / "labels.csv").open(newline="", encoding="utf-8") as table:
        densities = {
            row["file"].rpartition("/")[2].partition(".")[0]: row["density"]
            for row in csv.DictReader(table)
        }
    return Taught(
        read_canvases(work / "breasts"),
        pieces,
        read_canvases(work / "small_films"),
        read_canvases(work / "muscle_films"),
        densities,
    )


def _of_training(
    films: Iterable[tuple[NDArray[np.uint16], CanvasItem]],
) -> list[tuple[NDArray[np.uint16], CanvasItem]]:
    return [
        (pixels, item)
        for pixels, item in films
        if split_by_patient(item.patient_id) is Split.TRAIN
    ]


def autoencoder_of(data: Taught, work: Path, part: float, device: str) -> AutoencoderKL:
    """Trained on everything, whole and in pieces; on its device, as everything is encoded."""
    whole = [
        CropSource(known, tuple(range(len(known.items))), SIDE_PX, SIDE_PX, NONE)
        for known in (data.breasts, data.films, data.with_muscle)
    ]
    mirrored = replace(NONE, flip_rows=0.5)
    pieces = [
        CropSource(
            data.pieces, tuple(range(len(data.pieces.items))), CROP_PX, CROP_PX, mirrored
        )
    ]
    recipe = replace(AUTOENCODER, steps=round(AUTOENCODER.steps * part))
    trained = train_autoencoder(whole, pieces, recipe, work, device=device)
    return trained.to(device)  # type: ignore[arg-type]


def text_of(vendors: Iterable[str]) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Words and an untrained text encoder for them."""
    import torch

    torch.manual_seed(BREASTS.seed)
    tokenizer = build_tokenizer(words_of(tuple(vendors)))
    return tokenizer, build_text_encoder(tokenizer)


def breast_latents(
    data: Taught, autoencoder: AutoencoderKL, tokenizer: CLIPTokenizer
) -> Latents:
    """Every whole breast, hung as it is shown, with its sentence."""
    densities = {name: FILM_DENSITIES[word] for name, word in data.densities.items()}
    pictures, sentences = [], []
    for known, shown in ((data.breasts, 1), (data.films, FILM_TIMES)):
        for canvas, item in known.images():
            if item.lesion:
                continue
            area = area_word(area_cm2(canvas, ANATOMY.pixel_mm))
            prompt = healthy_prompt(item, area, densities)
            pictures += [as_hung(canvas, prompt.laterality)] * shown
            sentences += [prompt_text(prompt)] * shown
    means = encoded(autoencoder, (as_unit(picture) for picture in pictures))
    latents = standardized(means, tokens(tokenizer, sentences))
    assert latents.levels is not None
    standardize(autoencoder, latents.levels)
    return latents


def denoiser_of(
    latents: Latents,
    tokenizer: CLIPTokenizer,
    text: CLIPTextModel,
    recipe: DenoiserRecipe,
    checkpoint: Path,
    device: str,
) -> Conditioned:
    """Train on latents; the sentences and sizes stand for the data in the checkpoint."""
    sentences = hashlib.sha256(latents.words.tobytes()).hexdigest()
    return train_denoiser(
        latents,
        tokens(tokenizer, [""])[0],
        text,
        recipe,
        checkpoint,
        settings={"latents": len(latents.means), "sentences": sentences},
        device=device,
    )


def generator_of(
    work: Path, mini_mias: Path, device: str, part: float = 1.0, folder: Path = GENERATOR
) -> GeneratorPack:
    """Train all parts one after the other and write the pack; each goes on where it stopped."""
    data = taught(work, mini_mias)
    log.info("teaching: autoencoder")
    autoencoder = autoencoder_of(data, work, part, device)
    shown = (data.breasts, data.films)
    vendors = sorted({vendor_word(item.vendor) for known in shown for item in known.items})
    tokenizer, text = text_of(vendors)
    log.info("latents of whole breasts and of pieces")
    breasts = breast_latents(data, autoencoder, tokenizer)
    pieces = piece_latents(data.pieces, autoencoder, tokenizer)
    log.info("teaching: denoiser of breasts, %d images", len(breasts.means))
    recipe = replace(BREASTS, steps=round(BREASTS.steps * part))
    whole = denoiser_of(breasts, tokenizer, text, recipe, work / "breasts.pt", device)
    log.info("teaching: denoiser of lesions, %d pieces", len(pieces.means))
    recipe = replace(LESIONS, steps=round(LESIONS.steps * part))
    # It begins with what sentences mean to whole breasts, which no lesion was ever in.
    said = copy.deepcopy(whole.text)
    painter = denoiser_of(pieces, tokenizer, said, recipe, work / "lesions.pt", device)
    return save_generator(
        folder,
        _card(data, vendors),
        autoencoder=autoencoder.cpu(),
        tokenizer=tokenizer,
        breasts=whole,
        lesions=painter,
        known=known_of(as_unit(canvas) for known in shown for canvas, _ in known.images()),
    )


def _card(data: Taught, vendors: Sequence[str]) -> GeneratorCard:
    items = [
        item
        for known in (data.breasts, data.pieces, data.films, data.with_muscle)
        for item in known.items
    ]
    # A piece is named after its image and its number.
    images = {item.image_id.partition("#")[0] for item in items}
    return GeneratorCard(
        name="mammoscope-generator",
        version=VERSION,
        licence=LICENCE,
        data=DATA.format(
            breasts=len(data.breasts.items),
            pieces=len(data.pieces.items),
            women=len({item.patient_id for item in items}),
            films=len({item.image_id for item in data.films.items}),
        ),
        intended_use=INTENDED_USE,
        vendors=tuple(vendors),
        breast_mm=ANATOMY.pixel_mm,
        piece_mm=FINE.pixel_mm,
        files={},
        training_patients=tuple(sorted({name_sha256(item.patient_id) for item in items})),
        training_images=tuple(sorted(map(name_sha256, images))),
    )


def main() -> None:
    """Draw or teach."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if given.what == "draw":
        taught(given.work, given.mini_mias)
    else:
        device = device_at_hand().kind
        generator_of(given.work, given.mini_mias, device, given.part, given.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Teach the generator that ships.")
    parser.add_argument("what", choices=("draw", "teach"))
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--part", type=float, default=1.0, metavar="SHARE")
    parser.add_argument("--out", type=Path, default=GENERATOR, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    main()
