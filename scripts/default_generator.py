"""The generator that ships, from nothing: draw what it is taught, then teach it.

    python scripts/default_generator.py draw  --work FOLDER --mini-mias FOLDER
    python scripts/default_generator.py teach --work FOLDER --mini-mias FOLDER

`draw` takes a quarter of an hour of two cores, `teach` an hour of one GPU. On two cores,
`--part 0.1` takes a tenth of the steps, in two hours. `--mini-mias` has the edition of 256 rows
beside it; without `--mini-mias` no film is taught, for experiments on films. Stopped at any
moment, the same command goes on. Each finished part lies in FOLDER/parts: `--begin` takes what
lies in such a folder as it is, and trains the rest.
"""

from __future__ import annotations

import argparse
import csv
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ml.data.augment import NONE
from ml.data.canvases import CanvasItem, CanvasSet, read_canvases, write_canvases
from ml.data.crop_store import fill_store, stored_images
from ml.data.sources.mini_mias import mini_mias_canvases, mini_mias_with_muscle
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.hashed import name_sha256
from ml.mammo.prepare import FINE
from ml.manifest import Split
from ml.places import GENERATOR, MODELS
from ml.splits import split_by_patient
from ml.synth.known import known_of
from ml.synth.pack import GeneratorCard
from ml.synth.teaching import ANATOMY, FILM_DENSITIES, SIDE_PX, vendor_word
from ml.train.autoencoder import CROP_PX, AutoencoderRecipe
from ml.train.crops import CropSource
from ml.train.generator import DenoiserRecipe
from ml.train.generator_base import read_base
from ml.train.generator_data import PIECES, as_unit, healthy
from ml.train.generator_school import Lesson, Recipes, School
from ml.train.packs import INTENDED_USE, LICENCE
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.synth.pack import GeneratorPack
    from ml.synth.prompts import Prompt

log = logging.getLogger("default_generator")
# Women of their own: no other model has seen them, so it may judge what was learnt of them.
HEALTHY = PhantomSet(5_000_000, 2400, lesion_rate=0.0, pixel_mm=ANATOMY.pixel_mm / 2)
DISEASED = PhantomSet(6_000_000, 400, lesion_rate=1.0, most_lesions=4, pixel_mm=FINE.pixel_mm)
AUTOENCODER = AutoencoderRecipe(steps=30000, batch=8)
# Of small batches a processor takes twice as many steps in the same time, and learns more.
BREASTS = DenoiserRecipe(steps=40000, batch=16, rate=6e-4, warmup=100)
LESIONS = replace(BREASTS, steps=30000, seed=20261129)
VERSION = "0.1.0"
SHIPPED = MODELS / GENERATOR
DATA = (
    "{breasts} simulated healthy breasts and {pieces} pieces of simulated breasts with lesions "
    "(ml.phantom; ours){films}; {women} women in all. Lesions were learnt from simulated ones "
    "only."
)
FILMED = (
    ", and {films} films of mini-MIAS (Suckling 1994; research use only, no rent, lease or "
    "sale; folds 2 to 4 of 5 by a hash of the patient) in two editions"
)
# A film is shown so often for each simulated breast: there are few, and they are the real ones.
FILM_TIMES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """All that the generator is taught.

    Attributes
    ----------
    films
        Those of women in training; None: no film is taught.
    """

    breasts: CanvasSet
    pieces: CanvasSet
    films: Films | None

    @property
    def sets(self) -> tuple[CanvasSet, ...]:
        """All of them."""
        films = self.films
        return (self.breasts, self.pieces, *((films.whole, films.with_muscle) if films else ()))

    @property
    def shown(self) -> tuple[CanvasSet, ...]:
        """Whole breasts of known scale."""
        return (self.breasts, *((self.films.whole,) if self.films else ()))


@dataclass(frozen=True, slots=True, eq=False)
class Films:
    """Films of women in training.

    Attributes
    ----------
    with_muscle
        The same women's films with the muscle, of unknown scale: for the autoencoder only.
    densities
        The words for the density of each.
    """

    whole: CanvasSet
    with_muscle: CanvasSet
    densities: dict[str, str]


def taught(work: Path, mini_mias: Path | None) -> Taught:
    """Make, or find, the prepared images."""
    processes = os.cpu_count() or 1
    if not (work / "breasts" / "canvases.json").exists():
        images = phantom_canvases(HEALTHY, ANATOMY, processes=processes)
        write_canvases(work / "breasts", images, HEALTHY.count, ANATOMY)
    begin = stored_images(work / "lesions")
    images = phantom_canvases(DISEASED, FINE, processes=processes, begin=begin)
    pieces = fill_store(work / "lesions", images, FINE, PIECES)
    films = _films(work, mini_mias) if mini_mias else None
    return Taught(read_canvases(work / "breasts"), pieces, films)


def _films(work: Path, mini_mias: Path) -> Films:
    if not (work / "small_films" / "canvases.json").exists():
        films = _of_training(mini_mias_canvases(mini_mias, ANATOMY))
        write_canvases(work / "small_films", films, len(films), ANATOMY)
    if not (work / "muscle_films" / "canvases.json").exists():
        beside = mini_mias.parent / "mini_mias_256_with_pectoral"
        films = _of_training(mini_mias_with_muscle(beside, ANATOMY))
        write_canvases(work / "muscle_films", films, len(films), ANATOMY)
    with (mini_mias / "labels.csv").open(newline="", encoding="utf-8") as table:
        densities = {
            row["file"].rpartition("/")[2].partition(".")[0]: row["density"]
            for row in csv.DictReader(table)
        }
    return Films(
        read_canvases(work / "small_films"), read_canvases(work / "muscle_films"), densities
    )


def _of_training(
    films: Iterable[tuple[NDArray[np.uint16], CanvasItem]],
) -> list[tuple[NDArray[np.uint16], CanvasItem]]:
    return [
        (pixels, item)
        for pixels, item in films
        if split_by_patient(item.patient_id) is Split.TRAIN
    ]


def lesson_of(data: Taught) -> Lesson:
    """Everything for the autoencoder; healthy breasts and pieces for the two denoisers."""
    whole = [
        CropSource(known, tuple(range(len(known.items))), SIDE_PX, SIDE_PX, NONE)
        for known in data.sets
        if known is not data.pieces
    ]
    mirrored = replace(NONE, flip_rows=0.5)
    number = tuple(range(len(data.pieces.items)))
    small = [CropSource(data.pieces, number, CROP_PX, CROP_PX, mirrored)]
    makers = {vendor_word(item.vendor) for known in data.shown for item in known.items}
    vendors = tuple(sorted(makers))
    return Lesson(whole, small, lambda: _shown(data), data.pieces, vendors)


def _shown(data: Taught) -> Iterator[tuple[NDArray[np.uint16], Prompt]]:
    yield from healthy(data.breasts)
    if data.films is None:
        return
    densities = {name: FILM_DENSITIES[word] for name, word in data.films.densities.items()}
    for film in healthy(data.films.whole, densities):
        yield from [film] * FILM_TIMES


def generator_of(
    work: Path,
    mini_mias: Path | None,
    device: str,
    part: float = 1.0,
    folder: Path = SHIPPED,
    begin: Path | None = None,
) -> GeneratorPack:
    """Train all parts one after the other and write the pack; each goes on where it stopped.

    Parameters
    ----------
    begin
        Holds parts that are not trained again.
    """
    data = taught(work, mini_mias)
    lesson = lesson_of(data)
    base = read_base(begin) if begin else None
    recipes = Recipes(
        None if base else AUTOENCODER,
        None if base and base.breasts else BREASTS,
        LESIONS,
    ).part(part)
    pictures = (as_unit(c) for known in data.shown for c, _ in known.images())
    return School(lesson, recipes, work, device, base=base).generator(
        folder, _card(data, lesson.vendors), lambda: known_of(pictures)
    )


def _card(data: Taught, vendors: Sequence[str]) -> GeneratorCard:
    items = [item for known in data.sets for item in known.items]
    films = ""
    if data.films is not None:
        films = FILMED.format(films=len({item.image_id for item in data.films.whole.items}))
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
            films=films,
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
        generator_of(given.work, given.mini_mias, device, given.part, given.out, given.begin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Teach the generator that ships.")
    parser.add_argument("what", choices=("draw", "teach"))
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--mini-mias", type=Path, metavar="FOLDER")
    parser.add_argument("--part", type=float, default=1.0, metavar="SHARE")
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="FOLDER")
    parser.add_argument("--begin", type=Path, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    main()
