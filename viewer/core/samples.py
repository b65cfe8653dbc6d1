"""What a model in training said of a few images that never teach it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.texts import translate

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SampleImage:
    """One image, what is known of it, and what was said.

    Attributes
    ----------
    picture
        Where the picture lies; the boxes are drawn in it.
    lesions
        Boxed lesions that are known.
    lesion
        Whether a lesion is known, boxed or not.
    found, wrong
        Lesions that a mark hits, and marks that hit none; None where it was a classifier.
    score
        That there is a lesion, in 0..1; None where it was a detector.
    """

    picture: Path
    lesions: int
    lesion: bool
    found: int | None = None
    wrong: int | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What was said of all of them after so many steps."""

    stage: str
    done: int
    images: tuple[SampleImage, ...]


def sentence(sample: Sample) -> str:
    """How well it did, in a sentence."""
    scores = [(image.lesion, image.score) for image in sample.images if image.score is not None]
    if not scores:
        return translate(
            "After {steps} steps: {found} of {lesions} lesions found, {wrong} false marks on "
            "{images} images."
        ).format(
            steps=sample.done,
            found=sum(image.found or 0 for image in sample.images),
            lesions=sum(image.lesions for image in sample.images),
            wrong=sum(image.wrong or 0 for image in sample.images),
            images=len(sample.images),
        )
    with_lesion = [score for lesion, score in scores if lesion]
    without = [score for lesion, score in scores if not lesion]
    return translate(
        "After {steps} steps: an image with a lesion scored higher than one without in {right} "
        "of {pairs} comparisons."
    ).format(
        steps=sample.done,
        right=sum(one > other for one in with_lesion for other in without),
        pairs=len(with_lesion) * len(without),
    )


def caption(image: SampleImage) -> str:
    """What is known of an image, and what was said of it."""
    known = translate("Known: a lesion.") if image.lesion else translate("Known: no lesion.")
    if image.score is not None:
        said = translate("Score: {score}").format(score=f"{image.score:.2f}")
    elif image.lesions:
        said = translate("Found: {found} of {lesions}; false marks: {wrong}").format(
            found=image.found, lesions=image.lesions, wrong=image.wrong
        )
    else:
        said = translate("False marks: {wrong}").format(wrong=image.wrong)
    return f"{known} {said}"


def legend(sample: Sample) -> str:
    """What the boxes in the pictures are."""
    if any(image.score is not None for image in sample.images):
        return translate("White box: a lesion that is known. Scores go from 0 to 1.")
    return translate(
        "White, whole box: a lesion that is known. Orange, broken box: a mark of the model."
    )
