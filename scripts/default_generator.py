"""The generator that ships, from nothing; a part of `train_default_models.py`."""

from __future__ import annotations

import csv
import hashlib
import logging
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ml.data.augment import NONE
from ml.data.canvases import (
    CanvasItem,
    CanvasSet,
    read_canvases,
    split_by_patient,
    write_canvases,
)
from ml.data.crop_store import StorePlan, fill_store, stored_images
from ml.data.sources.mini_mias import mini_mias_canvases, mini_mias_with_muscle
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.mammo.prepare import FINE
from ml.manifest import Split
from ml.models.generator import build_text_encoder, build_tokenizer
from ml.places import MODELS
from ml.registry import name_sha256
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
    lesion_piece,
    sham_piece,
    vendor_word,
)
from ml.train.crops import CropSource
from ml.train.generator import (
    CROP_PX,
    AutoencoderRecipe,
    DenoiserRecipe,
    Latents,
    encoded,
    pieces_as_latents,
    train_autoencoder,
    train_denoiser,
)
from ml.train.generator_pack import save_generator
from ml.train.packs import INTENDED_USE, LICENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from numpy.typing import NDArray
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.synth.pack import GeneratorPack
    from ml.synth.teaching import Piece
    from ml.train.generator import Conditioned

log = logging.getLogger("train_default_models")
# Women of their own: no other model has seen them, so it may judge what was learnt of them.
HEALTHY = PhantomSet(5_000_000, 3000, lesion_rate=0.0, pixel_mm=ANATOMY.pixel_mm / 2)
DISEASED = PhantomSet(6_000_000, 1000, lesion_rate=1.0, most_lesions=4, pixel_mm=FINE.pixel_mm)
PIECES = StorePlan(side=384, hard=1, random=1)
AUTOENCODER = AutoencoderRecipe()
BREASTS = DenoiserRecipe()
LESIONS = DenoiserRecipe(steps=4000, seed=20261129)
VERSION = "0.1.0"
DATA = (
    "{breasts} simulated healthy breasts and {pieces} pieces of simulated breasts with lesions "
    "(ml.phantom; ours), and {films} films of mini-MIAS (Suckling 1994; research use only, no "
    "rent, lease or sale; folds 2 to 4 of 5 by a hash of the patient) in two editions; "
    "{women} women in all. Lesions were learnt from simulated ones only."
)
# A film is shown so often for each simulated breast: there are few, and they are the real ones.
FILM_TIMES = 4
# How often each piece is cut anew: every piece has healthy tissue, one in three has a lesion.
CUTS = ((lesion_piece, 4), (sham_piece, 1))


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


def taught(work: Path, mini_mias: Path, times: int) -> Taught:
    """Make, or find, the prepared images."""
    processes = os.cpu_count() or 1
    if not (work / "breasts" / "canvases.json").exists():
        women = replace(HEALTHY, count=HEALTHY.count * times)
        images = phantom_canvases(women, ANATOMY, processes=processes)
        write_canvases(work / "breasts", images, women.count, ANATOMY)
    if not (work / "small_films" / "canvases.json").exists():
        films = _of_training(mini_mias_canvases(mini_mias, ANATOMY))
        write_canvases(work / "small_films", films, len(films), ANATOMY)
    if not (work / "muscle_films" / "canvases.json").exists():
        beside = mini_mias.parent / "mini_mias_256_with_pectoral"
        films = _of_training(mini_mias_with_muscle(beside, ANATOMY))
        write_canvases(work / "muscle_films", films, len(films), ANATOMY)
    women = replace(DISEASED, count=DISEASED.count * times)
    begin = stored_images(work / "lesions")
    images = phantom_canvases(women, FINE, processes=processes, begin=begin)
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


def autoencoder_of(data: Taught, work: Path, times: int, device: str) -> AutoencoderKL:
    """Trained on everything, whole and in pieces, and its scale measured."""
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
    recipe = replace(AUTOENCODER, steps=AUTOENCODER.steps * times)
    return train_autoencoder(whole, pieces, recipe, work, device=device)


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
    means = encoded(autoencoder, (_unit(picture) for picture in pictures))
    scale = 1 / float(means.std())
    autoencoder.register_to_config(scaling_factor=scale)
    return Latents((means * scale).astype(np.float16), tokens(tokenizer, sentences), scale)


def lesion_latents(
    data: Taught, autoencoder: AutoencoderKL, tokenizer: CLIPTokenizer
) -> Latents:
    """Pieces with a lesion under the mask, and as many with healthy tissue under it."""
    scale = float(autoencoder.config["scaling_factor"])
    return pieces_as_latents(
        autoencoder, _pieces(data.pieces), scale, partial(tokens, tokenizer)
    )


def _pieces(canvases: CanvasSet) -> Iterator[Piece]:
    rng = np.random.default_rng(LESIONS.seed)
    for index in range(len(canvases.items)):
        for cut, times in CUTS:
            made = (cut(canvases, index, rng) for _ in range(times))
            yield from (piece for piece in made if piece is not None)


def tokens(tokenizer: CLIPTokenizer, sentences: list[str]) -> NDArray[np.int64]:
    """As the pipeline asks for them: all of one length."""
    given = tokenizer(sentences, padding="max_length", truncation=True, return_tensors="np")
    return np.asarray(given["input_ids"], np.int64)


def _unit(picture: NDArray[np.uint16]) -> NDArray[np.float32]:
    return np.asarray(picture, np.float32) / np.float32(65535)


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


def generator_of(work: Path, mini_mias: Path, times: int, device: str) -> GeneratorPack:
    """Train all parts one after the other and write the pack; each goes on where it stopped."""
    data = taught(work, mini_mias, times)
    log.info("training: autoencoder")
    autoencoder = autoencoder_of(data, work, times, device)
    shown = (data.breasts, data.films)
    vendors = sorted({vendor_word(item.vendor) for known in shown for item in known.items})
    tokenizer, text = text_of(vendors)
    log.info("latents of whole breasts")
    breasts = breast_latents(data, autoencoder, tokenizer)
    log.info("training: denoiser of breasts, %d images", len(breasts.means))
    recipe = replace(BREASTS, steps=BREASTS.steps * times)
    whole = denoiser_of(breasts, tokenizer, text, recipe, work / "breasts.pt", device)
    log.info("latents of pieces")
    pieces = lesion_latents(data, autoencoder, tokenizer)
    log.info("training: denoiser of lesions, %d pieces", len(pieces.means))
    recipe = replace(LESIONS, steps=LESIONS.steps * times)
    said = whole.text.requires_grad_(False)
    painter = denoiser_of(pieces, tokenizer, said, recipe, work / "lesions.pt", device)
    return save_generator(
        MODELS / "generator",
        _card(data, vendors),
        autoencoder=autoencoder,
        tokenizer=tokenizer,
        text=whole.text,
        breasts=whole.denoiser,
        lesions=painter.denoiser,
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
