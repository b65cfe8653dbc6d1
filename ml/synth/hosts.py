"""What lesions are painted into: a phantom drawn to match, or a real healthy mammogram.

A phantom has the prompt's view, side and density exactly, its maker where one of that name is
simulated, and the area as near as a woman's size can be chosen. A real image is chosen by view
and side, and by density where it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ml.data.sources.phantoms import as_mammogram
from ml.errors import DataError
from ml.hashed import name_sha256, own_patient
from ml.mammo.mammogram import Rescale, Window
from ml.mammo.orient import to_upright
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import prepare
from ml.mammo.read import read_mammogram
from ml.mammo.scan import find_images
from ml.manifest import MANIFEST, Label, Source, Split, read_manifest
from ml.phantom.phantom import make_phantom
from ml.phantom.vendors import FILMS, VENDORS
from ml.phantom.woman import (
    GLANDULAR_FRACTION,
    LEAST_THICKNESS_MM,
    THICKNESS_MM,
    Woman,
    draw_woman,
)
from ml.registry import file_sha256
from ml.splits import split_of
from ml.synth.order import PHANTOM
from ml.synth.output import BITS
from ml.synth.prompts import Area
from ml.synth.teaching import (
    ANATOMY,
    BIG_CM2,
    SMALL_CM2,
    area_cm2,
    area_word,
    vendor_word,
)
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
    from ml.mammo.geometry import Affine, Box
    from ml.mammo.mammogram import Mammogram, PixelSpacing
    from ml.manifest import ManifestRow
    from ml.phantom.vendors import Vendor
    from ml.synth.prompts import Prompt

PIXEL_MM = 0.1
# A woman's size is found on images as coarse as the generator's own teaching has them.
SOUGHT_MM = ANATOMY.pixel_mm / 2
# The middle of each third of `ml.synth.teaching`.
SOUGHT_CM2 = {
    Area.SMALL: 0.82 * SMALL_CM2,
    Area.MEDIUM: (SMALL_CM2 + BIG_CM2) / 2,
    Area.BIG: 1.18 * BIG_CM2,
}
LEAST_SIZE, MOST_SIZE = 0.55, 1.6
TRIES = 4
# Pixels that are this much longer than wide cannot be written as one number.
MOST_OBLONG = 1.01


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """A mammogram without lesion, at full size.

    Attributes
    ----------
    pixels : (rows, columns) uint16
        As stored.
    name, patient
        As in `ml.synth.output.Making`.
    """

    pixels: NDArray[np.uint16]
    mammogram: Mammogram
    pixel_mm: float
    name: str
    patient: str = ""

    @property
    def shift(self) -> int:
        """Bits that values are raised by to be written: films of 8 bits become 12."""
        return max(BITS - self.mammogram.pixel_format.bits_stored, 0)

    @property
    def bits(self) -> int:
        """Bits stored as it is written."""
        return self.mammogram.pixel_format.bits_stored + self.shift

    def window(self) -> Window | None:
        """The first window of the file, over values as they are written."""
        first = next((one for one in self.mammogram.voi if isinstance(one, Window)), None)
        if first is None:
            return None
        scale = float(1 << self.shift)
        return replace(first, center=first.center * scale, width=first.width * scale)

    def upright(self, pixels: NDArray[np.uint16], box: Box) -> tuple[NDArray[np.uint16], Box]:
        """Painted pixels and their box as a synthetic image is written."""
        turn = to_upright(self.mammogram)
        raised = np.left_shift(_turned(pixels, turn), np.uint16(self.shift))
        return np.ascontiguousarray(raised), turn.box(box)


class Hosts(Protocol):
    """Gives a host for each image."""

    def host(self, prompt: Prompt, seed: int) -> Host:
        """A mammogram without lesion that is as the prompt asks; the same for the same seed."""
        ...


def hosts_of(place: str) -> Hosts:
    """Phantoms, or the images of a folder.

    Raises
    ------
    DataError
        Where the folder holds no healthy image.
    """
    from pathlib import Path

    return PhantomHosts() if place == PHANTOM else RealHosts(Path(place))


class PhantomHosts:
    """Simulated women, one for each image."""

    def host(self, prompt: Prompt, seed: int) -> Host:
        """A healthy phantom of 0.1 mm, drawn to match."""
        vendor = vendor_of(prompt.vendor, seed)
        woman = woman_for(prompt, vendor, seed)
        made = make_phantom(
            woman, prompt.laterality, prompt.view, pixel_mm=PIXEL_MM, vendor=vendor
        )
        return Host(made.pixels, as_mammogram(made), PIXEL_MM, PHANTOM)


def vendor_of(word: str, seed: int) -> Vendor:
    """The simulated maker of that name; one by the seed where there is none."""
    makers = VENDORS + FILMS
    known = [one for one in makers if vendor_word(one.name) == word]
    return known[0] if known else makers[seed % len(makers)]


def woman_for(prompt: Prompt, vendor: Vendor, seed: int) -> Woman:
    """A healthy woman of the density asked for, of a size that gives the area asked for."""
    woman = _of_density(draw_woman(seed, lesion_rate=0.0), prompt.density)
    for _ in range(TRIES):
        found = _area(woman, prompt, vendor)
        if area_word(found) is prompt.area:
            break
        # An area grows with the square of a length.
        size = woman.size * (SOUGHT_CM2[prompt.area] / max(found, 1.0)) ** 0.5
        woman = replace(woman, size=float(np.clip(size, LEAST_SIZE, MOST_SIZE)))
    return woman


def _of_density(woman: Woman, density: BreastDensity) -> Woman:
    rng = np.random.default_rng((woman.seed, 19))
    usual = THICKNESS_MM[density] - THICKNESS_MM[woman.density]
    return replace(
        woman,
        density=density,
        glandular_fraction=float(rng.uniform(*GLANDULAR_FRACTION[density])),
        thickness_mm=max(woman.thickness_mm + usual, LEAST_THICKNESS_MM),
    )


def _area(woman: Woman, prompt: Prompt, vendor: Vendor) -> float:
    made = make_phantom(
        woman, prompt.laterality, prompt.view, pixel_mm=SOUGHT_MM, vendor=vendor
    )
    canvas = prepare(made.pixels, as_mammogram(made), ANATOMY)
    return area_cm2(canvas.pixels, ANATOMY.pixel_mm)


@dataclass(frozen=True, slots=True)
class _Known:
    """A real image that can be a host; its pixels are read when it is one."""

    path: Path
    view: ViewPosition | None
    laterality: Laterality | None
    density: BreastDensity | None
    patient: str


class RealHosts:
    """A user's real healthy mammograms.

    Parameters
    ----------
    folder
        With a manifest, its rows for training that are normal, and not generated themselves;
        without one, all images below it, on the user's word that they are healthy.

    Raises
    ------
    DataError
        Where there is none.
    """

    def __init__(self, folder: Path) -> None:
        listed = (folder / MANIFEST).exists()
        self._known = tuple(_listed(folder) if listed else _found(folder))
        if not self._known:
            raise DataError(
                mark("{folder} holds no healthy mammogram to paint in."), folder=folder.name
            )

    def host(self, prompt: Prompt, seed: int) -> Host:
        """One of the images of that view and side.

        Raises
        ------
        DataError
            Where there is none, or it cannot be painted in.
        """
        fitting = [
            one
            for one in self._known
            if (one.view, one.laterality) == (prompt.view, prompt.laterality)
            and one.density in (None, prompt.density)
        ]
        if not fitting:
            raise DataError(
                mark(
                    "No healthy mammogram for training is a {side} {view} of density {density}."
                ),
                side=prompt.laterality.value,
                view=prompt.view.value,
                density=prompt.density.value,
            )
        return _read(fitting[seed % len(fitting)])


def _listed(folder: Path) -> Iterator[_Known]:
    manifest = read_manifest(folder)
    for row in manifest.rows:
        if _may_host(row):
            path = manifest.file_of(row)
            yield _Known(path, row.view, row.laterality, row.density, row.patient_id)


def _may_host(row: ManifestRow) -> bool:
    """Healthy, and not held out: a lesion in a test's breast would teach that breast."""
    healthy = row.label is Label.NORMAL and row.source is not Source.GENERATED
    return healthy and split_of(row) is Split.TRAIN


def _found(folder: Path) -> Iterator[_Known]:
    for image in find_images([folder]).images:
        if image.view and image.laterality and not image.synthetic:
            yield _Known(
                image.path,
                image.view.value,
                image.laterality.value,
                None,
                own_patient(image.patient.patient_id) if image.patient.patient_id else "",
            )


def _read(known: _Known) -> Host:
    mammogram = read_mammogram(known.path)
    pixels, spacing = read_pixels(mammogram), mammogram.spacing
    plain = mammogram.modality == Rescale() and mammogram.frames == 1
    if spacing is None or not _square(spacing) or not plain or pixels.dtype.kind != "u":
        raise DataError(
            mark(
                "{path} cannot be painted in: its pixels are unscaled, or stored in a way "
                "that cannot be written again."
            ),
            path=known.path.name,
        )
    return Host(
        np.asarray(pixels, np.uint16),
        mammogram,
        spacing.row_mm,
        file_sha256(known.path),
        name_sha256(known.patient) if known.patient else "",
    )


def _square(spacing: PixelSpacing) -> bool:
    short, long = sorted((spacing.row_mm, spacing.column_mm))
    return long <= short * MOST_OBLONG


def _turned(pixels: NDArray[np.uint16], turn: Affine) -> NDArray[np.uint16]:
    if turn.rr == 0:
        pixels = pixels.T
        flips = (turn.rc < 0, turn.cr < 0)
    else:
        flips = (turn.rr < 0, turn.cc < 0)
    for axis, flip in enumerate(flips):
        pixels = np.flip(pixels, axis) if flip else pixels
    return pixels
