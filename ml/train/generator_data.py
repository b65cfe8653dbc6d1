"""What a manifest teaches the generator: which rows, as canvases, pieces and cached latents."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ml.data.canvases import Order, begun, read_canvases, write_order
from ml.data.crop_store import StorePlan, fill_store, read_store
from ml.data.duplicates import fingerprints, refuse_duplicates
from ml.data.sources.listed import listed_canvases
from ml.errors import DataError
from ml.files import replacing
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import FINE, prepare, resolves
from ml.mammo.read import read_mammogram
from ml.manifest import Source, Split
from ml.splits import split_of
from ml.synth.balance import SIDES, VIEWS
from ml.synth.teaching import (
    ANATOMY,
    area_cm2,
    area_word,
    as_hung,
    healthy_prompt,
    lesion_piece,
    sham_piece,
    vendor_word,
)
from ml.texts import mark
from ml.train.generator import Latents, pieces_as_latents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from numpy.typing import NDArray
    from transformers import CLIPTokenizer

    from ml.control import Control
    from ml.data.canvases import CanvasItem, CanvasSet
    from ml.mammo.codes import BreastDensity
    from ml.manifest import Manifest, ManifestRow
    from ml.synth.prompts import LesionKind, Prompt
    from ml.synth.teaching import Piece

PIECES = StorePlan(side=384, hard=1, random=1)
# How often a lesion of the commonest kind is cut anew, and at most one of a rare kind: with
# each kind shown as often, none is drawn in the place of another.
LEAST_CUTS, MOST_CUTS = 2, 4
PIECES_SEED = 20261129
# With fewer breasts a generator can only repeat them.
LEAST_BREASTS = 8
PLAN = "rows.json"
CHECKED = "no-copies"


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """Prepared images.

    Attributes
    ----------
    breasts
        Whole ones of 0.8 mm; those with a lesion teach the autoencoder only.
    pieces
        Of 0.1 mm, of the images that have such pixels; None where none has.
    """

    breasts: CanvasSet
    pieces: CanvasSet | None

    def vendors(self) -> tuple[str, ...]:
        """Every maker's word."""
        items = self.breasts.items + (self.pieces.items if self.pieces else ())
        return tuple(sorted({vendor_word(item.vendor) for item in items}))


def rows_to_teach(manifest: Manifest, control: Control) -> tuple[ManifestRow, ...]:
    """The rows for training whose view, side and density are known.

    Held-out rows are refused: what the generator has seen would come back in what it makes,
    and teach the models that those rows are to measure. So are generated images.

    Raises
    ------
    DataError
        Where too few are left.
    """
    own = [row for row in manifest.rows if row.source is not Source.GENERATED]
    open_rows = [row for row in own if split_of(row) is Split.TRAIN]
    known = tuple(
        row
        for row in open_rows
        if row.view in VIEWS and row.laterality in SIDES and row.density and row.label
    )
    for count, why in (
        (len(manifest.rows) - len(own), "generated"),
        (len(own) - len(open_rows), "held out for validation and test"),
        (len(open_rows) - len(known), "of unknown view, side, density or label"),
    ):
        if count:
            control.log(f"{count} images are left out: {why}.")
    if len(known) < LEAST_BREASTS:
        raise DataError(
            mark(
                "Only {count} images may teach the generator; name at least {least} for "
                "training whose view, side, density and label are known."
            ),
            count=len(known),
            least=LEAST_BREASTS,
        )
    return known


def taught(
    manifest: Manifest, rows: Sequence[ManifestRow], out: Path, control: Control
) -> Taught:
    """Prepare the images, or find them prepared.

    Raises
    ------
    DataError
        Where the folder was begun with other rows, a row's file cannot be used, or an image is
        nearly one that is held out.
    """
    _same_rows(out, rows)
    whole, pieces = out / "breasts", out / "pieces"
    if not (whole / "canvases.json").exists():
        # Of these rows: another list was refused.
        order = Order(len(rows), ANATOMY)
        begin = begun(whole, order)
        images = listed_canvases(manifest, rows[begin:], ANATOMY)
        pairs = ((pixels, None, item) for pixels, item in _breathing(images, control))
        write_order(whole, pairs, order, begin)
    breasts = read_canvases(whole)
    if not (out / CHECKED).exists():
        _refuse_copies(manifest, breasts, control)
        (out / CHECKED).touch()
    fine = [row for row in rows if resolves(read_mammogram(manifest.file_of(row)), FINE)]
    if not fine:
        return Taught(breasts, None)
    if not (pieces / "done").exists():
        images = listed_canvases(manifest, fine, FINE)
        fill_store(pieces, _breathing(images, control), FINE, PIECES)
        (pieces / "done").touch()
    return Taught(breasts, read_store(pieces))


def _refuse_copies(manifest: Manifest, breasts: CanvasSet, control: Control) -> None:
    """What is held out may not be taught under another patient's name either."""
    held_out = [
        row
        for row in manifest.rows
        if row.source is not Source.GENERATED and split_of(row) is not Split.TRAIN
    ]
    refuse_duplicates(
        {
            Split.TRAIN: fingerprints((i.image_id, pixels) for pixels, i in breasts.images()),
            Split.TEST: fingerprints(_whole(manifest, held_out, control)),
        }
    )


def _whole(
    manifest: Manifest, rows: Iterable[ManifestRow], control: Control
) -> Iterator[tuple[str, NDArray[np.uint16]]]:
    for row in rows:
        control.breathe()
        mammogram = read_mammogram(manifest.file_of(row))
        yield row.path, prepare(read_pixels(mammogram), mammogram, ANATOMY).pixels


def healthy(
    breasts: CanvasSet, densities: Mapping[str, BreastDensity] | None = None
) -> Iterator[tuple[NDArray[np.uint16], Prompt]]:
    """Every whole breast without lesion, hung as it is shown, with its sentence.

    Parameters
    ----------
    densities
        By `image_id`, of images whose item has none.
    """
    for canvas, item in breasts.images():
        if not item.lesion:
            area = area_word(area_cm2(canvas, ANATOMY.pixel_mm))
            prompt = healthy_prompt(item, area, densities)
            yield as_hung(canvas, prompt.laterality), prompt


def piece_latents(
    pieces: CanvasSet, autoencoder: AutoencoderKL, tokenizer: CLIPTokenizer
) -> Latents:
    """Pieces with a lesion under the mask, and pieces with healthy tissue under it."""
    return pieces_as_latents(autoencoder, _cut(pieces), partial(tokens, tokenizer))


def standardized(means: NDArray[np.float32], words: NDArray[np.int64]) -> Latents:
    """Each channel about 0 with a deviation of 1; `standardize` is to be told the levels."""
    levels = np.stack([means.mean((0, 2, 3)), means.std((0, 2, 3))])
    center, spread = levels[:, None, :, None, None]
    return Latents(((means - center) / spread).astype(np.float16), words, levels=levels)


def tokens(tokenizer: CLIPTokenizer, sentences: list[str]) -> NDArray[np.int64]:
    """(n, most words) int64: as the pipeline asks for them, all of one length."""
    given = tokenizer(sentences, padding="max_length", truncation=True, return_tensors="np")
    return np.asarray(given["input_ids"], np.int64)


def has_lesions(pieces: CanvasSet) -> bool:
    """Whether any piece can be cut about a lesion."""
    rng = np.random.default_rng(PIECES_SEED)
    return any(
        lesion_piece(pieces, index, rng) is not None for index in range(len(pieces.items))
    )


def cached(path: Path, make: Callable[[], Latents]) -> Latents:
    """Latents from a file, or made and kept in it."""
    from safetensors.numpy import load_file, save_file

    if not path.exists():
        made = make()
        values = {"means": made.means, "words": made.words}
        others = {"around": made.around, "levels": made.levels}
        values |= {name: value for name, value in others.items() if value is not None}
        # What comes out of a network may lie in memory as its channels do, and is written as it
        # lies: read again, places and channels would be mixed up.
        whole = {name: np.ascontiguousarray(value) for name, value in values.items()}
        with replacing(path) as fresh:
            save_file(whole, fresh)
    kept = load_file(path)
    return Latents(**kept)


def canonical(data: Taught) -> Iterator[NDArray[np.float32]]:
    """The whole breasts in 0..1, chest wall at the left: what a copy would be one of."""
    return (as_unit(pixels) for pixels, _ in data.breasts.images())


def _cut(pieces: CanvasSet) -> Iterator[Piece]:
    rng = np.random.default_rng(PIECES_SEED)
    first = [lesion_piece(pieces, index, rng) for index in range(len(pieces.items))]
    kinds = [piece.prompt.lesion if piece else None for piece in first]
    times = cuts_of(kinds)
    for index, kind in enumerate(kinds):
        made = [lesion_piece(pieces, index, rng) for _ in range(times.get(kind, 0))]
        made.append(sham_piece(pieces, index, rng))
        yield from (piece for piece in made if piece is not None)


def cuts_of(kinds: Sequence[LesionKind | None]) -> dict[LesionKind | None, int]:
    """How often a lesion of each kind is cut, so that every kind is shown about as often."""
    count = Counter(kind for kind in kinds if kind)
    most = max(count.values(), default=0)
    return {
        kind: min(round(LEAST_CUTS * most / number), MOST_CUTS)
        for kind, number in count.items()
    }


def as_unit(picture: NDArray[np.uint16]) -> NDArray[np.float32]:
    """A prepared image's levels in 0..1."""
    return np.asarray(picture, np.float32) / np.float32(65535)


def _breathing(
    images: Iterable[tuple[NDArray[np.uint16], CanvasItem]], control: Control
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    for pixels, item in images:
        control.breathe()
        yield pixels, replace(item, vendor=vendor_word(item.vendor))


def _same_rows(out: Path, rows: Sequence[ManifestRow]) -> None:
    """What is kept in the folder was made of these rows."""
    named = "\n".join(f"{row.path},{row.patient_id},{row.density}" for row in rows)
    told = {"rows": len(rows), "sha256": hashlib.sha256(named.encode()).hexdigest()}
    path = out / PLAN
    out.mkdir(parents=True, exist_ok=True)
    if path.exists() and json.loads(path.read_text("utf-8")) != told:
        raise DataError(
            mark("{folder} holds a training on other images; choose an empty folder."),
            folder=out.name,
        )
    with replacing(path) as fresh:
        fresh.write_text(json.dumps(told) + "\n", encoding="utf-8")
