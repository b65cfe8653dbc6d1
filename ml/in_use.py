"""Which models are in use: the program's, or a user's own version in place of one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ml.places import GENERATOR, models_folder, own_models_folder
from ml.registry import CARD, ROLES, read_card
from ml.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ml.registry import ModelCard


def packs_in_use(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The folders of the packs in use, by role; only those that exist.

    Those of the program, and in place of one of them the user's own version that was promoted.

    Parameters
    ----------
    environment
        As for `models_folder` and `own_models_folder`.

    Raises
    ------
    ModelError
        Where the version in use is not there any more.
    """
    folder, own = models_folder(environment), own_models_folder(environment)
    packs = {role: folder / role for role in ROLES if (folder / role / CARD).is_file()}
    if own is not None:
        live = {role: Versions(own).live_pack(role) for role in ROLES}
        packs |= {role: place for role, place in live.items() if place is not None}
    return packs


def generator_in_use(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of the generator that the user brought, else of the program's; None: none."""
    own = own_models_folder(environment)
    folders = [own] if own else []
    places = (folder / GENERATOR for folder in (*folders, models_folder(environment)))
    return next((place for place in places if (place / CARD).is_file()), None)


def cards_in_use(environment: Mapping[str, str] = os.environ) -> dict[str, ModelCard]:
    """The cards of the packs in use, by role; their files are not looked at.

    Raises
    ------
    ModelError
        Where a card is no card.
    """
    return {role: read_card(f / CARD) for role, f in packs_in_use(environment).items()}
