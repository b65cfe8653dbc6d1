"""Which models are in use, and in shadow: the program's, or a user's own versions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.places import GENERATOR, models_folder, own_models_folder
from ml.registry import CARD, ROLES, read_card
from ml.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ml.registry import ModelCard
    from ml.versions import Shadow


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
    folder, own = models_folder(environment), own_versions(environment)
    packs = {role: folder / role for role in ROLES if (folder / role / CARD).is_file()}
    if own is not None:
        live = {role: own.live_pack(role) for role in ROLES}
        packs |= {role: place for role, place in live.items() if place is not None}
    return packs


def own_versions(environment: Mapping[str, str] = os.environ) -> Versions | None:
    """The user's own versions; None where a folder was named instead of all others."""
    own = own_models_folder(environment)
    return None if own is None else Versions(own)


def own_version(key: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a user's own version, in use or not; None where there is none of that key.

    Parameters
    ----------
    key
        ``name@version``.

    Raises
    ------
    ModelError
        Where its pack is not there any more.
    """
    versions = own_versions(environment)
    if versions is None:
        return None
    roles = (role for role in ROLES if key in {one.key for one in versions.all(role)})
    role = next(roles, None)
    return versions.pack(role, key) if role else None


@dataclass(frozen=True, slots=True)
class InShadow:
    """A version that runs in shadow, and where it lies."""

    shadow: Shadow
    folder: Path


def shadows(environment: Mapping[str, str] = os.environ) -> tuple[InShadow, ...]:
    """The versions that run in shadow, each beside the models in use of the other roles.

    One that is not there any more is left out: it shows nothing, and stops nobody.
    """
    versions = own_versions(environment)
    if versions is None:
        return ()
    found = (versions.shadow(role) for role in ROLES)
    placed = (InShadow(one, versions.place(one.role, one.key)) for one in found if one)
    return tuple(one for one in placed if (one.folder / CARD).is_file())


def generator_places(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where a generator may lie, the first choice first: the user's own, the program's."""
    own = own_models_folder(environment)
    folders = [own] if own else []
    return tuple(folder / GENERATOR for folder in (*folders, models_folder(environment)))


def generator_in_use(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of the generator that the user brought, else of the program's; None: none."""
    places = generator_places(environment)
    return next((place for place in places if (place / CARD).is_file()), None)


def cards_in_use(environment: Mapping[str, str] = os.environ) -> dict[str, ModelCard]:
    """The cards of the packs in use, by role; their files are not looked at.

    Raises
    ------
    ModelError
        Where a card is no card.
    """
    return {role: read_card(f / CARD) for role, f in packs_in_use(environment).items()}
