"""What the studio needs to know of the generator: its card, read where disks are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import WeightsMissingError
from ml.manifest import read_manifest
from ml.places import MODELS
from ml.registry import MODELS_VARIABLE
from ml.synth.balance import take_census
from ml.synth.pack import read_generator
from ml.texts import mark
from viewer.core.lacks import DataSet
from viewer.core.studio import Generator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "generator"


def generator_folders(own: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where a generator may lie, the first choice first.

    Parameters
    ----------
    own
        The folder of the packs that the user brought.
    """
    moved = environment.get(MODELS_VARIABLE, "")
    return [own / NAME, (Path(moved) if moved else MODELS) / NAME]


def read_card_of(folders: Sequence[Path]) -> Generator:
    """Check the first pack that is there, file by file, and say what it can do.

    Raises
    ------
    ModelError
        Where there is none, or it is not whole.
    """
    there = next((folder for folder in folders if folder.is_dir()), None)
    if there is None:
        raise WeightsMissingError(
            mark("No generator is installed: copy one to {folder}, then open this again."),
            folder=str(folders[0]),
        )
    pack = read_generator(there)
    card = pack.card
    return Generator(str(there), card.name, card.version, card.vendors, pack.paints)


def count_data_set(folder: Path) -> DataSet:
    """Count what a data set has of each kind.

    Raises
    ------
    DataError
        Where the folder has no manifest, or it cannot be read.
    """
    return DataSet(str(folder), take_census(read_manifest(folder)))
