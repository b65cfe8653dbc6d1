"""Whom the generators at hand were taught, by the weights that their images name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ml.errors import ModelError
from ml.in_use import generator_places
from ml.registry import CARD
from ml.synth.pack import GeneratorPack, read_generator_card

if TYPE_CHECKING:
    from collections.abc import Mapping

WEIGHTS = "weights_sha256"


def taught_patients(environment: Mapping[str, str] = os.environ) -> dict[str, frozenset[str]]:
    """The hashed patients that each generator was taught, as its card lists them.

    A card that cannot be read says nothing: what its generator made is then of an unknown one.

    Returns
    -------
    dict
        By the sha256 of the weights that draw, and of those that paint.
    """
    told: dict[str, frozenset[str]] = {}
    for place in generator_places(environment):
        if not (place / CARD).is_file():
            continue
        try:
            pack = GeneratorPack(place, read_generator_card(place))
        except ModelError:
            continue
        patients = frozenset(pack.card.training_patients)
        told[pack.weights_sha256] = patients
        if pack.paints:
            told[pack.lesions_sha256] = patients
    return told
