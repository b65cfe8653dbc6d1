"""The generator's pack: a diffusers folder with a card that says what it is.

    generator/
        card.json            words, pixel sizes, data, licence, figures, sha256 of every file
        model_index.json     as diffusers writes it, with vae/, unet/, text_encoder/,
                             tokenizer/ and scheduler/ beside it
        lesions/             what paints into masked pieces: a second unet/ and text_encoder/

Any Stable Diffusion folder is taken too (`read_foreign`), one that draws whole breasts or one
that paints in: it has no card, so nothing is known of its data, and its pixels have no size.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.files import write_json
from ml.hashed import known_name
from ml.registry import CARD, Figure, file_sha256
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX = "model_index.json"
CONFIG = "config.json"
LESIONS_FOLDER = "lesions"
LESIONS_PARTS = ("unet", "text_encoder")
PARTS = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")
WEIGHTS_SUFFIX = ".safetensors"
# The longest head that the format's own reader takes.
MOST_HEAD = 100_000_000
# A denoiser that paints in also sees the mask and what lies around it: 4, 1 and 4 channels.
PAINTING_CHANNELS = 9
# What may run code when it is read.
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py")


@dataclass(frozen=True, slots=True)
class GeneratorCard:
    """What a generator says of itself.

    Attributes
    ----------
    vendors
        The makers' words that its sentences may hold.
    breast_mm, piece_mm
        Size of a pixel of what it draws and of what it paints into; None where not known.
    files
        sha256 of every file of the pack, by path below its folder.
    training_patients, training_images
        As in `ml.registry.ModelCard`.
    levelled
        Whether the painter sees a piece about the level around its mask (`ml.synth.tones`).
    """

    name: str
    version: str
    licence: str
    data: str
    intended_use: str
    vendors: tuple[str, ...]
    breast_mm: float | None
    piece_mm: float | None
    files: Mapping[str, str]
    figures: tuple[Figure, ...] = ()
    training_patients: tuple[str, ...] = ()
    training_images: tuple[str, ...] = ()
    levelled: bool = True

    @property
    def key(self) -> str:
        """How commands and files name it: ``name@version``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class GeneratorPack:
    """A checked pack.

    Attributes
    ----------
    draws
        Whether it draws whole breasts; a foreign folder that paints in does not.
    """

    folder: Path
    card: GeneratorCard
    draws: bool = True

    @property
    def paints(self) -> bool:
        """Whether it holds a network that paints into pieces."""
        return not self.draws or (self.folder / LESIONS_FOLDER).is_dir()

    @property
    def weights_sha256(self) -> str:
        """Of the network that draws whole breasts."""
        return self._sha256_below("unet/")

    @property
    def lesions_sha256(self) -> str:
        """Of the network that paints into pieces."""
        return self._sha256_below(f"{LESIONS_FOLDER}/unet/" if self.draws else "unet/")

    def _sha256_below(self, folder: str) -> str:
        return next(
            sha256
            for name, sha256 in sorted(self.card.files.items())
            if name.startswith(folder) and name.endswith(WEIGHTS_SUFFIX)
        )


def read_generator(folder: Path) -> GeneratorPack:
    """Read a pack's card and check every file of its folder.

    Raises
    ------
    WeightsMissingError
        Where the card or a file is not there.
    WeightsCorruptError
        Where a file is not the one that the card names.
    ModelError
        Where the card is no card, or a file lies there that it does not name.
    """
    card = read_generator_card(folder)
    refuse_pickles(folder)
    for name, sha256 in card.files.items():
        path = folder / name
        if not path.is_file():
            raise _missing(folder, name)
        if file_sha256(path) != sha256:
            raise WeightsCorruptError(
                mark("The file {name} of the model {model} is damaged; install it again."),
                name=name,
                model=folder.name,
            )
    if strange := sorted(_files_of(folder) - card.files.keys() - {CARD}):
        raise ModelError(
            mark("The model {model} holds a file that its card does not name ({name})."),
            model=folder.name,
            name=strange[0],
        )
    return GeneratorPack(folder, card)


def read_foreign(folder: Path, vendors: tuple[str, ...]) -> GeneratorPack:
    """Any Stable Diffusion folder, as `diffusers` writes it; safetensors only.

    Parameters
    ----------
    vendors
        The makers' words that it was taught, as far as its user knows.

    Raises
    ------
    WeightsMissingError
        Where a part is not there.
    ModelError
        Where it holds a pickle, under whatever name.
    """
    for part in (INDEX, *PARTS):
        if not (folder / part).exists():
            raise _missing(folder, part)
    refuse_pickles(folder)
    names = sorted(_files_of(folder))
    for name in names:
        if name.endswith(WEIGHTS_SUFFIX):
            names_of(folder / name)
    files = {name: file_sha256(folder / name) for name in names}
    if not any(n.startswith("unet/") and n.endswith(WEIGHTS_SUFFIX) for n in files):
        raise _missing(folder, f"unet/*{WEIGHTS_SUFFIX}")
    return GeneratorPack(
        folder,
        GeneratorCard(
            name=folder.name,
            version="0",
            licence="",
            data="not known",
            intended_use="",
            vendors=vendors,
            breast_mm=None,
            piece_mm=None,
            files=files,
            levelled=False,
        ),
        draws=_channels(folder) != PAINTING_CHANNELS,
    )


def read_any(
    folder: Path, vendors: tuple[str, ...] = (), pixel_mm: float | None = None
) -> GeneratorPack:
    """A pack of ours where there is a card, else any Stable Diffusion folder.

    Parameters
    ----------
    vendors, pixel_mm
        As `read_foreign` needs them, and the size of a pixel; not looked at where there is a
        card.

    Raises
    ------
    ModelError
        Where it is neither, or not whole, or could run code.
    """
    if (folder / CARD).exists():
        return read_generator(folder)
    if not (folder / INDEX).exists():
        raise ModelError(
            mark("{folder} is no generator: neither {card} nor {index} lies in it."),
            folder=folder.name,
            card=CARD,
            index=INDEX,
        )
    pack = read_foreign(folder, vendors)
    return replace(pack, card=replace(pack.card, breast_mm=pixel_mm))


def _channels(folder: Path) -> int:
    """What the denoiser is given."""
    try:
        content = json.loads((folder / "unet" / CONFIG).read_text("utf-8"))
        return int(content["in_channels"])
    except FileNotFoundError as error:
        raise _missing(folder, f"unet/{CONFIG}") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            mark("The file {name} of the model {model} cannot be read; install it again."),
            detail=str(error),
            name=f"unet/{CONFIG}",
            model=folder.name,
        ) from error


def read_lora(path: Path) -> Path:
    """The file of a LoRA: itself, or the only one of its folder; safetensors only.

    Raises
    ------
    WeightsMissingError
        Where there is none.
    ModelError
        Where it could run code, or a folder holds several.
    """
    if path.is_dir():
        refuse_pickles(path)
    elif path.suffix.lower() != WEIGHTS_SUFFIX and path.exists():
        raise ModelError(
            mark("{name} is no safetensors file, and others could run code: convert it."),
            name=path.name,
        )
    files = sorted(path.glob(f"*{WEIGHTS_SUFFIX}")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise _missing(path, f"*{WEIGHTS_SUFFIX}")
    if len(files) > 1:
        raise ModelError(
            mark("The folder {name} holds several LoRA files; name one of them."),
            name=path.name,
        )
    if not any("lora" in name.lower() for name in names_of(files[0])):
        raise ModelError(
            mark("The file {name} holds no LoRA; choose another one, or none."),
            name=files[0].name,
        )
    return files[0]


def names_of(path: Path) -> tuple[str, ...]:
    """The names of the weights of a safetensors file, from its head alone.

    Raises
    ------
    ModelError
        Where it is no such file, whatever its name says.
    """
    try:
        with path.open("rb") as file:
            # Eight bytes say how long the table is that follows, which is JSON
            # (https://huggingface.co/docs/safetensors, "Format").
            length = int.from_bytes(file.read(8), "little")
            head = json.loads(file.read(min(length, MOST_HEAD)))
            return tuple(str(name) for name in head if name != "__metadata__")
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            mark("{name} is no safetensors file, and others could run code: convert it."),
            detail=str(error),
            name=path.name,
        ) from error


def write_generator_card(folder: Path, card: GeneratorCard) -> GeneratorPack:
    """Write the card over all files that lie in the folder."""
    names = sorted(_files_of(folder) - {CARD})
    card = replace(card, files={name: file_sha256(folder / name) for name in names})
    write_json(folder / CARD, asdict(card))
    return GeneratorPack(folder, card)


def refuse_pickles(folder: Path) -> None:
    """Nothing that could run code may lie in a model's folder, read or not.

    Raises
    ------
    ModelError
        It names the first such file.
    """
    for name in sorted(_files_of(folder)):
        if PurePosixPath(name).suffix.lower() in PICKLES:
            raise ModelError(
                mark(
                    "The model {model} holds {name}, which could run code: convert it to "
                    "safetensors and take that file away."
                ),
                model=folder.name,
                name=name,
            )


def _files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def read_generator_card(folder: Path) -> GeneratorCard:
    """What a pack says of itself; its files are not looked at.

    Raises
    ------
    WeightsMissingError, ModelError
        Where it has no card, or one that cannot be read.
    """
    try:
        content = json.loads((folder / CARD).read_text("utf-8"))
        figures = tuple(Figure(**figure) for figure in content.pop("figures"))
        lists = ("training_patients", "training_images")
        tuples = {name: tuple(map(known_name, content.pop(name))) for name in lists}
        vendors = tuple(content.pop("vendors"))
        card = GeneratorCard(figures=figures, vendors=vendors, **tuples, **content)
    except FileNotFoundError as error:
        raise _missing(folder, CARD) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _broken(folder, f"{type(error).__name__}: {error}") from error
    if any(_outside(name) for name in card.files):
        raise _broken(folder, "a file outside the pack")
    return card


def _broken(folder: Path, detail: str) -> ModelError:
    return ModelError(
        mark("The card of the model {model} cannot be read; install the model again."),
        detail=detail,
        model=folder.name,
    )


def _outside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name


def _missing(folder: Path, name: str) -> WeightsMissingError:
    return WeightsMissingError(
        mark("The file {name} of the model {model} is missing; install the model again."),
        name=name,
        model=folder.name,
    )
