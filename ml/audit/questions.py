"""What a model would be taught of each row: is there a lesion, and is it malignant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.manifest import Label
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.manifest import Manifest, ManifestRow

LESION = mark("lesion or none")
MALIGNANCY = mark("malignant or benign")
YES_NO = {
    LESION: (mark("images with a lesion"), mark("images without")),
    MALIGNANCY: (mark("malignant ones"), mark("benign ones")),
}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One thing that a model is taught to tell.

    Attributes
    ----------
    name
        A marked text.
    rows
        Those whose answer is known.
    answers : (rows,) bool
        True for a lesion, or a malignant one.
    """

    name: str
    rows: tuple[ManifestRow, ...]
    answers: NDArray[np.bool_]

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose each row is."""
        return tuple(row.patient_id for row in self.rows)

    def patients_with(self, answer: bool) -> int:
        """How many patients have a row with this answer."""
        pairs = zip(self.rows, self.answers, strict=True)
        return len({row.patient_id for row, said in pairs if said == answer})


def questions_of(manifest: Manifest) -> tuple[Question, ...]:
    """The questions to which the manifest has both answers."""
    boxed = {box.path for box in manifest.boxes}
    lesion = [(row, _has_lesion(row, boxed)) for row in manifest.rows]
    malignant = [(row, _is_malignant(row)) for row in manifest.rows]
    asked = (_question(LESION, lesion), _question(MALIGNANCY, malignant))
    return tuple(each for each in asked if 0 < each.answers.sum() < len(each.answers))


def _has_lesion(row: ManifestRow, boxed: set[str]) -> bool | None:
    """Nobody knows whether a generated lesion is malignant: its row has a box and no label."""
    if row.label is not None:
        return row.label is not Label.NORMAL
    return True if row.path in boxed else None


def _is_malignant(row: ManifestRow) -> bool | None:
    if row.label in (None, Label.NORMAL):
        return None
    return row.label is Label.MALIGNANT


def _question(name: str, told: list[tuple[ManifestRow, bool | None]]) -> Question:
    known = [(row, answer) for row, answer in told if answer is not None]
    answers = np.array([answer for _, answer in known], np.bool_)
    return Question(name, tuple(row for row, _ in known), answers)
