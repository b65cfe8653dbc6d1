"""Names of patients and images as lists hold them that nobody is to read names in."""

from __future__ import annotations

import hashlib

# Of a name's sha256: 96 bits, which no two names of any archive share by chance.
NAME_DIGITS = 24
# The collection of whoever is in no published one: what the user's own archives hold.
OWN = "own"


def name_sha256(name: str) -> str:
    """The beginning of the sha256 of a patient's or an image's name, for training lists."""
    return hashlib.sha256(name.encode()).hexdigest()[:NAME_DIGITS]


def known_name(hashed: str) -> str:
    """A hashed name as `name_sha256` writes it; earlier versions wrote all 64 digits."""
    return hashed[:NAME_DIGITS]


def hashed_patient(collection: str, name: str) -> str:
    """A patient's id that says nothing of her, the same in every table of a collection."""
    return f"{collection}-{hashlib.sha256(f'{collection}:{name}'.encode()).hexdigest()[:16]}"


def own_patient(name: str) -> str:
    """The id in every table of a patient of the user's own archives, from her Patient ID.

    One that a table names as such already stays as it is: so a table of somebody else's, which
    holds plain Patient IDs, can be held against ours.
    """
    return name if name.startswith(f"{OWN}-") else hashed_patient(OWN, name)


def names_sha256(name: str) -> frozenset[str]:
    """How lists may hold a patient: by her name as it is, and as `own_patient` has it."""
    return frozenset((name_sha256(name), name_sha256(own_patient(name))))
