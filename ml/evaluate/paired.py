"""What one model is better by than another on the same images.

Two intervals that overlap say little of a difference: the images that are hard are hard for
both. Here the same women are drawn for both, and the difference itself gets the interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.evaluate.bootstrap import DRAWS, LEVEL, Estimate, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    import numpy as np
    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged, Marked

    Outcome = TypeVar("Outcome", Marked, Judged)
    Figure = Callable[[Sequence[Outcome]], float]


def paired_difference(
    one: Sequence[Outcome],
    other: Sequence[Outcome],
    figure: Figure[Outcome] | tuple[Figure[Outcome], Figure[Outcome]],
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Estimate:
    """The figure of `one` less that of `other`: paired bootstrap over patients (Efron 1993).

    Parameters
    ----------
    one, other
        What two models said of the same images, in any order.
    figure
        Such as the sensitivity at one false mark an image, or the area under the curve; two
        where each model has a threshold of its own.
    level
        Of the interval.

    Raises
    ------
    ValueError
        Where the images are not the same.
    """
    first = {outcome.item.image_id: outcome for outcome in one}
    second = {outcome.item.image_id: outcome for outcome in other}
    if first.keys() != second.keys():
        raise ValueError("the two did not see the same images")
    images = list(first)
    of_one, of_other = figure if isinstance(figure, tuple) else (figure, figure)

    def difference(indices: NDArray[np.int64]) -> dict[str, float]:
        drawn = [images[index] for index in indices]
        gain = of_one([first[i] for i in drawn]) - of_other([second[i] for i in drawn])
        return {"": gain}

    patients = [first[image].item.patient_id for image in images]
    return resampled(patients, difference, draws=draws, level=level)[""]
