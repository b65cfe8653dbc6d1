"""How a model's scores lay on the images that it was measured on: what later ones are held to.

Kept apart for images with and without a lesion: a test set is rich in lesions and screening is
not, and only so can it be said what is to be expected where lesions are rarer.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from typing import cast

# Quantiles of a part: at 0, 2, 4 ... 100 %.
QUANTILES = 51


@dataclass(frozen=True, slots=True)
class Part:
    """The scores of images of one truth.

    Attributes
    ----------
    quantiles
        `QUANTILES` scores, rising, at equal steps from the least to the greatest; empty where
        there were no such images.
    images, patients
        Whom they were taken of.
    """

    quantiles: tuple[float, ...]
    images: int
    patients: int

    def share_to(self, score: float) -> float:
        """The share of images with this score or less, 0 to 1; between quantiles a line."""
        known = self.quantiles
        above = bisect_right(known, score)
        if above in (0, len(known)):
            return float(above > 0)
        low, high = known[above - 1], known[above]
        return (above - 1 + (score - low) / (high - low)) / (len(known) - 1)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A score over the images of one measurement.

    The score is a classifier's of a lesion, and a detector's best mark (0 without any).

    Attributes
    ----------
    data
        Which images, as the card's figures name them.
    """

    without: Part
    with_lesion: Part
    data: str

    def to_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return asdict(self)


def distribution_from_json(content: dict[str, object]) -> Distribution:
    """Read what `Distribution.to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where it is not of that form.
    """
    return Distribution(
        _part(content["without"]), _part(content["with_lesion"]), _text(content)
    )


def _part(value: object) -> Part:
    content = cast("dict[str, object]", value)
    scores = tuple(
        float(cast("float", one)) for one in cast("list[object]", content["quantiles"])
    )
    images, patients = (int(cast("int", content[name])) for name in ("images", "patients"))
    if len(scores) not in (0, QUANTILES) or list(scores) != sorted(scores):
        raise ValueError(f"no quantiles: {len(scores)} scores")
    if bool(scores) != (patients > 0) or not 0 <= patients <= images:
        raise ValueError(f"{len(scores)} quantiles of {images} images of {patients} patients")
    return Part(scores, images, patients)


def _text(content: dict[str, object]) -> str:
    data = content["data"]
    if not isinstance(data, str):
        raise TypeError(f"a text was expected, not {data!r}")
    return data
