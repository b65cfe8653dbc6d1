"""What the classifier's raw outputs mean. Plain numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """The classifier's word on one canvas.

    Attributes
    ----------
    lesion, malignancy
        Scores in [0, 1].
    score_map : (rows, columns) float32
        The lesion map that pooling made the score of, in [0, 1].
    density : (4,) float32
        For A to D, summing to 1.
    """

    lesion: float
    malignancy: float
    score_map: NDArray[np.float32]
    density: NDArray[np.float32]


def classified(outputs: Sequence[NDArray[np.float32]]) -> Classified:
    """Read the classifier's outputs: scores (1, 2), map (1, 2, r, c), density (1, 4)."""
    scores, maps, density = outputs
    return Classified(
        lesion=float(np.clip(scores[0, 0], 0, 1)),
        malignancy=float(np.clip(scores[0, 1], 0, 1)),
        score_map=np.clip(maps[0, 0], 0, 1).astype(np.float32),
        density=(density[0] / density[0].sum()).astype(np.float32),
    )
