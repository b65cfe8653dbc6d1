"""Where each image comes from: what must not be told instead of an answer.

A source is the word of `ml.manifest.Source` and, where the table says it, the place: of the
first of `PLACES` of which the table has several, the data set before the institution before the
maker. One of them and not all: their product would leave a few images a source, of which
nothing can be told. Places of fewer patients than `FEWEST` count as one for the same reason.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from ml.merging import DATA_SET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.manifest import ManifestRow

# Columns in the order in which they are asked, by their names in small letters.
PLACES = (
    (DATA_SET, "dataset", "collection", "cohort"),
    ("institution", "institution_name", "hospital", "hospital_name", "site", "site_id"),
    ("maker", "manufacturer", "manufacturer_name", "vendor", "vendor_name"),
)
FEWEST = 5
OTHERS = "(others)"


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Each row's source.

    Attributes
    ----------
    words : (n,)
        Of the rows' `Source` alone, empty where nobody says.
    names : (n,)
        These with the place; the same as `words` where no place is known.
    """

    words: NDArray[np.str_]
    names: NDArray[np.str_]


def sources_of(rows: Sequence[ManifestRow]) -> Sources:
    """The source of each of some rows."""
    words = [row.source.value if row.source else "" for row in rows]
    places = _common(rows, words, _places(rows))
    names = [", ".join(filter(None, pair)) for pair in zip(words, places, strict=True)]
    return Sources(np.array(words, np.str_), np.array(names, np.str_))


def chance_of_one(
    sources: NDArray[np.str_], patients: Sequence[str], answers: NDArray[np.bool_], one: str
) -> float:
    """How probable it is that an answer falls into one source alone by chance.

    Hypergeometric: as many patients as have the answer, drawn from all, are all of `one`'s.

    Parameters
    ----------
    answers : (n,)
        True for the answer that has images from `one` only.
    """
    everyone = set(patients)
    inside = {p for p, source in zip(patients, sources, strict=True) if source == one}
    drawn = {p for p, said in zip(patients, answers, strict=True) if said}
    return comb(len(inside), len(drawn)) / comb(len(everyone), len(drawn))


def _places(rows: Sequence[ManifestRow]) -> list[str]:
    """What the first column of `PLACES` with several values says; empty where there is none."""
    columns = [{name.lower(): name for name in row.extra} for row in rows]
    for group in PLACES:
        for name in group:
            said = [
                row.extra.get(at.get(name, ""), "")
                for row, at in zip(rows, columns, strict=True)
            ]
            if len(set(said)) > 1:
                return said
    return [""] * len(rows)


def _common(
    rows: Sequence[ManifestRow], words: Sequence[str], places: Sequence[str]
) -> list[str]:
    """The places, those of few patients as one."""
    patients: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row, word, place in zip(rows, words, places, strict=True):
        patients[word, place].add(row.patient_id)
    return [
        OTHERS if place and len(patients[word, place]) < FEWEST else place
        for word, place in zip(words, places, strict=True)
    ]
