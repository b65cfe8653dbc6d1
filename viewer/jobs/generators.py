"""What the studio needs to know of generators: their cards, read where disks are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import ModelError, WeightsMissingError
from ml.manifest import read_manifest
from ml.registry import CARD
from ml.synth.balance import take_census
from ml.synth.pack import read_any, read_generator, read_lora
from ml.synth.precision import precision_of
from ml.texts import mark
from viewer.core.lacks import DataSet
from viewer.core.studio import Generator
from viewer.jobs.devices import capability_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.synth.pack import GeneratorPack
    from viewer.core.studio import GeneratorChoice


def look_up(choice: GeneratorChoice, own: Sequence[Path], lane: str) -> Generator:
    """Check what is chosen, file by file, and say what it can do.

    Parameters
    ----------
    own
        Where the program's own may lie, the first choice first.
    lane
        The device of new jobs.

    Raises
    ------
    ModelError
        Where there is none, or it is not whole, or it could run code.
    """
    pack = _foreign(choice) if choice.folder else read_generator(_first_of(own))
    card, has_card = pack.card, (pack.folder / CARD).exists()
    lora = str(read_lora(Path(choice.lora))) if choice.lora else ""
    return Generator(
        str(pack.folder),
        card.name,
        card.version,
        card.vendors,
        pack.paints,
        lora,
        None if has_card else card.breast_mm,
        precision_of(lane, capability_of(lane)),
        draws=pack.draws,
        has_card=has_card,
    )


def _first_of(own: Sequence[Path]) -> Path:
    there = next((folder for folder in own if folder.is_dir()), None)
    if there is None:
        raise WeightsMissingError(
            mark("No generator is installed: copy one to {folder}, then open this again."),
            folder=str(own[0]),
        )
    return there


def _foreign(choice: GeneratorChoice) -> GeneratorPack:
    """A folder that the user chose; what no card says must be said by her."""
    folder = Path(choice.folder)
    if not folder.is_dir():
        raise WeightsMissingError(
            mark("There is no folder {folder}; choose another generator."), folder=choice.folder
        )
    pack = read_any(folder, choice.vendors, choice.pixel_mm)
    if not pack.card.vendors:
        raise ModelError(
            mark("Say what the sentences of {model} call the makers: one word at least."),
            model=folder.name,
        )
    if pack.draws and pack.card.breast_mm is None:
        raise ModelError(
            mark("Say how large a pixel of {model} is: it has no card that does."),
            model=folder.name,
        )
    return pack


def count_data_set(folder: Path) -> DataSet:
    """Count what a data set has of each kind.

    Raises
    ------
    DataError
        Where the folder has no manifest, or it cannot be read.
    """
    return DataSet(str(folder), take_census(read_manifest(folder)))
