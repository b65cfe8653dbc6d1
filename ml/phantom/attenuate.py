"""How much of the beam each tissue takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ml.phantom.anatomy import Anatomy
    from ml.phantom.outline import Map

# Effective attenuation, 1/mm, W/Rh 28 kVp behind about 45 mm (from the FDA MC-GPU tables).
MU_FAT, MU_GLANDULAR, MU_SKIN, MU_MUSCLE = 0.0476, 0.0704, 0.0771, 0.0792
# CaOx over glandular tissue, 1/mm: 0.67 to 0.65 in ln I (FDA MC-GPU tables, 21 keV).
MU_CALCIUM = 0.66


def attenuation(anatomy: Anatomy) -> Map:
    """Line integral of attenuation of the healthy breast, (rows, columns) float32, no unit."""
    mixture = MU_FAT + (MU_GLANDULAR - MU_FAT) * anatomy.glandular
    mixture += (MU_MUSCLE - mixture) * anatomy.muscle
    total = (anatomy.thickness_mm - anatomy.skin_mm) * mixture + anatomy.skin_mm * MU_SKIN
    total += anatomy.strands * (MU_GLANDULAR - MU_FAT) * (anatomy.depth_mm > 0)
    return np.asarray(np.maximum(total, 0), np.float32)
