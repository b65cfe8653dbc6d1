"""Bad images are refused, each with the reason: a marked sentence for the user.

A filter says what is wrong, never that an image is good: how good a batch is, is measured by
`ml.synth.quality`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.codes import BreastDensity
from ml.mammo.prepare import FINE
from ml.synth.estimators import (
    DensityEstimator,
    Tissue,
    chest_left,
    find_tissue,
    side_of,
)
from ml.synth.known import Known, read_known
from ml.synth.prompts import LesionKind
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram
    from ml.synth.lesions import Painted
    from ml.synth.pack import GeneratorPack
    from ml.synth.prompts import Prompt

BLANK = mark("The image is blank.")
NO_BREAST = mark("There is no breast in the image.")
SEVERAL = mark("The image shows several separate parts instead of one breast.")
WRONG_SIDE = mark("The chest wall is at the wrong side.")
SATURATED = mark("Much of the breast is as bright as it gets.")
OTHER_DENSITY = mark("The density is far from the one asked for.")
COPY = mark("The image is nearly the same as one that the model was taught.")
NOTHING_SEEN = mark("The lesion cannot be seen.")

# An image whose grey levels deviate less than this is blank.
LEAST_DEVIATION = 0.01
# Less than a twentieth of the image (21 cm2 of 420) is no compressed breast.
LEAST_BREAST = 0.05
# Of the breast, at full white. Percentiles of the breast are stretched, so a little always is.
MOST_SATURATED = 0.25
# Grades between the density asked for and the mean of the estimated ones.
MOST_GRADES_OFF = 1.5
GRADES = np.arange(len(BreastDensity))
# What is painted over what lies around it: means and peaks, in deviations of the surroundings.
LEAST_RISE, LEAST_PEAK = 0.2, 2.0
PEAK_PX = 10
# Specks of calcium are finer than this, mm (deviation of the background that is taken away).
SPECK_MM = 0.6
# Healthy tissue beside a mask that it is compared with.
AROUND_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """All filters.

    Attributes
    ----------
    density
        None: no filter of density.
    known
        What the pack was taught, where it holds pictures of that; None: copies are not found.
    """

    density: DensityEstimator | None = None
    known: Known | None = None

    @staticmethod
    def of(pack: GeneratorPack) -> Judge:
        """With the installed classifier and what the pack holds."""
        return Judge(DensityEstimator.installed(), read_known(pack.folder))

    def drawn(self, image: NDArray[np.float32], pixel_mm: float, prompt: Prompt) -> str:
        """Why a whole breast should not be used; empty where nothing speaks against it.

        Parameters
        ----------
        image : (rows, columns) float32
            In 0..1, as it hangs.
        """
        if float(image.std()) < LEAST_DEVIATION:
            return BLANK
        tissue = find_tissue(image)
        wrong = _form(image, tissue, prompt)
        if wrong:
            return wrong
        turned = chest_left(image, prompt.laterality)
        seen = Tissue(chest_left(tissue.mask, prompt.laterality), 1)
        if self.density is not None:
            grades = self.density(turned, seen, pixel_mm)
            asked = list(BreastDensity).index(prompt.density)
            if abs(float(grades @ GRADES) - asked) > MOST_GRADES_OFF:
                return OTHER_DENSITY
        if self.known is not None and self.known.is_copy(turned):
            return COPY
        return ""

    def painted(
        self,
        before: NDArray[np.generic],
        after: Painted,
        mammogram: Mammogram,
        prompt: Prompt,
    ) -> str:
        """Why a painted image should not be used: its lesion cannot be seen.

        Parameters
        ----------
        before : (rows, columns)
            Stored values of the host.
        """
        if prompt.lesion is None:
            return ""
        spacing = mammogram.spacing
        pixel_mm = spacing.row_mm if spacing else FINE.pixel_mm
        sign = -1.0 if mammogram.pixel_format.inverted else 1.0
        seen = is_seen(before, after, pixel_mm, prompt.lesion, sign)
        return "" if seen else NOTHING_SEEN


def _form(image: NDArray[np.float32], tissue: Tissue, prompt: Prompt) -> str:
    if tissue.share < LEAST_BREAST:
        return NO_BREAST
    if tissue.patches > 1:
        return SEVERAL
    if side_of(tissue) is not prompt.laterality:
        return WRONG_SIDE
    if float((image[tissue.mask] > 0.995).mean()) > MOST_SATURATED:
        return SATURATED
    return ""


def is_seen(
    before: NDArray[np.generic],
    after: Painted,
    pixel_mm: float,
    kind: LesionKind,
    sign: float = 1.0,
) -> bool:
    """Whether a painted lesion changes its place as one of its kind would.

    A mass brightens the middle of the mask; a cluster has peaks that the tissue had not. Both
    are measured by the deviation of the host's tissue under the mask and beside it.

    Parameters
    ----------
    sign
        -1 where low values are bright.
    """
    top, left, bottom, right = _window(after, AROUND_MM / pixel_mm)
    old, new = (
        sign * np.asarray(pixels[top:bottom, left:right], np.float32)
        for pixels in (before, after.pixels)
    )
    mask = after.mask[top:bottom, left:right]
    if kind is LesionKind.CALCIFICATION_CLUSTER:
        old, new = _specks(old, pixel_mm), _specks(new, pixel_mm)
        return _peak(new[mask]) - _peak(old[mask]) >= LEAST_PEAK * max(float(old.std()), 1e-6)
    rise = float(new[mask].mean() - old[mask].mean())
    return rise >= LEAST_RISE * max(float(old.std()), 1e-6)


def _peak(values: NDArray[np.float32]) -> float:
    """Mean of the brightest pixels, as many as a few specks have, however large the mask."""
    return float(np.sort(values)[-PEAK_PX:].mean())


def _window(after: Painted, margin: float) -> tuple[int, int, int, int]:
    rows, columns = after.mask.shape
    box = after.box
    return (
        max(int(box.row0 - margin), 0),
        max(int(box.col0 - margin), 0),
        min(int(box.row1 + margin), rows),
        min(int(box.col1 + margin), columns),
    )


def _specks(pixels: NDArray[np.float32], pixel_mm: float) -> NDArray[np.float32]:
    """What is finer than a speck of calcium is large."""
    return pixels - cv2.GaussianBlur(pixels, (0, 0), SPECK_MM / pixel_mm)
