"""Take what may name a patient out of a text that leaves the computer.

Nothing should stand there in the first place: logs and errors are written without. This is the
second lock: it takes out what looks like an identity, and what is known to be one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ml.places import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.study import Study

# Shorter ones would take letters out of every word.
_SHORTEST = 3
_PATTERNS = (
    # A file's address and an absolute path, to the end of the line: a name may hold blanks.
    (re.compile(r"file:\S.*"), "<path>"),
    (re.compile(r"(?<![\w.<])(?:/|~/|[A-Za-z]:[\\/]|\\\\)[^\s/\\].*"), "<path>"),
    (re.compile(r"\S+\.(?:dcm|dicom|ima|png|jpe?g|tiff?|bmp|zip|csv|json)\b", re.I), "<file>"),
    # PS3.5 9.1: a UID is numbers with points between; a version has fewer of them.
    (re.compile(r"\b\d+(?:\.\d+){4,}\b"), "<uid>"),
    # PS3.5 6.2.1: the parts of a person's name, with a caret between.
    (re.compile(r"[\w'.-]+(?:\^+[\w'.-]*)+"), "<name>"),
)


def without_identity(text: str, known: Sequence[str] = ()) -> str:
    """The text without paths, files' names, UIDs, persons' names and what is known to name one.

    Parameters
    ----------
    known
        As `identities_of` gives them.
    """
    for each in sorted(known, key=len, reverse=True):
        whole = rf"(?<![^\W_]){re.escape(each)}(?![^\W_])"
        text = re.sub(whole, "<identity>", text, flags=re.IGNORECASE)
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return text


def identities_of(studies: Iterable[Study]) -> tuple[str, ...]:
    """What names the patients of these studies: names, numbers, UIDs, folders and files."""
    found: set[str] = set()
    for study in studies:
        found.add(study.uid)
        for image in study.images:
            found |= _of_image(image)
    return tuple(sorted(each for each in found if len(each) >= _SHORTEST))


def _of_image(image: Mammogram) -> set[str]:
    patient = image.patient
    numbers = (patient.patient_id, patient.birth_date, image.accession_number)
    uids = (image.sop_instance_uid, image.study_instance_uid, image.series_instance_uid)
    names = (patient.name, *re.split(r"[\^=\s,]+", patient.name))
    # Folders of the program's and the user's own would take words out of every line.
    own = {*RESOURCES.parts, *Path.home().parts}
    places = {*image.path.parts, image.path.stem} - own
    return {*numbers, *uids, *names, *places}
