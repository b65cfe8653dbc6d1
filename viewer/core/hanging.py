"""Which image belongs where: the standard hang of a screening study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.mammo.codes import ImageKind, Laterality, PresentationIntent, ViewModifier, ViewPosition
from viewer.core.state import Viewport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study

# RCC | LCC over RMLO | LMLO, chest walls to the middle: row by row.
STANDARD = (
    (Laterality.RIGHT, ViewPosition.CC),
    (Laterality.LEFT, ViewPosition.CC),
    (Laterality.RIGHT, ViewPosition.MLO),
    (Laterality.LEFT, ViewPosition.MLO),
)
COLUMNS = 2
# Images of a part of the breast, or of a displaced one, are no standard views.
_NOT_STANDARD = frozenset(ViewModifier) - {
    ViewModifier.NIPPLE_IN_PROFILE,
    ViewModifier.IMPLANT_DISPLACED,
}


def hang(study: Study) -> tuple[Viewport, ...]:
    """Put a study's images into the four slots.

    A missing view leaves an empty slot. Where no image is a standard view, the first of each
    side are hung in order, so that a lone spot view is not left to the thumbnails.
    """
    slots = tuple(
        Viewport(side.value + view.value, _best(study.images, side, view))
        for side, view in STANDARD
    )
    if any(slot.image for slot in slots):
        return slots
    return _in_order(study.images)


def title_of(image: Mammogram) -> str:
    """``"RCC"``, ``"LMLO ID"``: side, view, modifiers; the file's name where none is known."""
    side = image.laterality.value.value if image.laterality else ""
    view = image.view.value.value if image.view else ""
    modifiers = " ".join(modifier.value for modifier in image.view_modifiers)
    return " ".join(part for part in (side + view, modifiers) if part) or image.path.stem


def extra_images(study: Study, viewports: Iterable[Viewport]) -> tuple[Mammogram, ...]:
    """The images of the study that hang nowhere."""
    hung = {id(viewport.image) for viewport in viewports}
    return tuple(image for image in study.images if id(image) not in hung)


def _best(
    images: Iterable[Mammogram], side: Laterality, view: ViewPosition
) -> Mammogram | None:
    fitting = [image for image in images if _fits(image, side, view)]
    return min(fitting, key=_rank, default=None)


def _fits(image: Mammogram, side: Laterality, view: ViewPosition) -> bool:
    return (
        image.laterality is not None
        and image.laterality.value is side
        and image.view is not None
        and image.view.value is view
        and not _NOT_STANDARD.intersection(image.view_modifiers)
    )


def _rank(image: Mammogram) -> tuple[bool, bool, bool, bool, int]:
    """The best first: for reading, whole, flat, undisplaced, and the latest take."""
    return (
        image.intent is PresentationIntent.FOR_PROCESSING,
        image.partial_view,
        image.kind is ImageKind.TOMOSYNTHESIS,
        ViewModifier.IMPLANT_DISPLACED in image.view_modifiers,
        -(image.instance_number or 0),
    )


def _in_order(images: tuple[Mammogram, ...]) -> tuple[Viewport, ...]:
    right = [image for image in images if _side(image) is Laterality.RIGHT]
    other = [image for image in images if _side(image) is not Laterality.RIGHT]
    if not right or not other:
        # One side only: fill the screen row by row.
        row = (right or other)[: len(STANDARD)]
        slots: list[Mammogram | None] = [*row, *[None] * (len(STANDARD) - len(row))]
    else:
        pairs = zip(_two(right), _two(other), strict=True)
        slots = [image for pair in pairs for image in pair]
    return tuple(Viewport(title_of(image) if image else "", image) for image in slots)


def _two(images: list[Mammogram]) -> list[Mammogram | None]:
    return [*images[:2], *[None] * (2 - len(images[:2]))]


def _side(image: Mammogram) -> Laterality | None:
    return image.laterality.value if image.laterality else None
