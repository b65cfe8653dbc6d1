"""Names of patients and images as lists hold them that nobody is to read names in."""

from __future__ import annotations

import hashlib

# Of a name's sha256: 96 bits, which no two names of any archive share by chance.
NAME_DIGITS = 24


def name_sha256(name: str) -> str:
    """The beginning of the sha256 of a patient's or an image's name, for training lists."""
    return hashlib.sha256(name.encode()).hexdigest()[:NAME_DIGITS]


def known_name(hashed: str) -> str:
    """A hashed name as `name_sha256` writes it; earlier versions wrote all 64 digits."""
    return hashed[:NAME_DIGITS]
