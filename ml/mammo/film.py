"""A scanned film as PNG, JPEG or TIFF: no scale, no identity."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.errors import NotMammographyError, PixelDecodeError
from ml.mammo.budget import check_size
from ml.mammo.codes import ImageKind, Laterality, ViewPosition
from ml.mammo.mammogram import (
    Acquisition,
    Alarm,
    Evidence,
    LossyCompression,
    Mammogram,
    Patient,
    PixelFormat,
)
from ml.mammo.sides import with_side
from ml.mammo.view import describe_side, describe_view
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

NOT_DICOM = mark("Not DICOM: no scale, no identity.")
UNREADABLE = mark("{name} is damaged or no image. Choose a PNG, JPEG or TIFF film.")
# TIFF 6.0, section 8.
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
GRAY_MODES = {"L": 8, "P": 8, "1": 8, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 16}


def read_film(path: Path) -> Mammogram:
    """Read a picture's size and side; the side from its name, else from its pixels.

    Raises
    ------
    NotMammographyError, PixelDecodeError, BudgetError
    """
    with _opened(path) as image:
        columns, rows = image.size
        bits = GRAY_MODES.get(image.mode, 8)
        lossy = image.format == "JPEG"
        inverted = _is_negative(image)
        pixels = _gray(image, path)
    check_size(path.name, rows, columns, 1, bits)
    uid = _uid(path)
    named_side, named_view = describe_side(path.stem), describe_view(path.stem)
    film = Mammogram(
        path=path,
        kind=ImageKind.PICTURE,
        sop_instance_uid=uid,
        study_instance_uid=uid,
        series_instance_uid=uid,
        sop_class_uid="",
        transfer_syntax_uid="",
        patient=Patient(),
        acquisition=Acquisition(),
        rows=rows,
        columns=columns,
        frames=1,
        pixel_format=PixelFormat(bits, inverted=inverted, bits_allocated=bits),
        laterality=Evidence(Laterality(named_side), "file name") if named_side else None,
        view=Evidence(ViewPosition(named_view), "file name") if named_view else None,
        lossy=LossyCompression(None, "JPEG") if lossy else None,
        alarms=(Alarm(NOT_DICOM),),
    )
    return with_side(film, pixels)


def read_film_pixels(path: Path) -> NDArray[np.generic]:
    """Gray values, (rows, columns) uint8 or uint16; colour is weighed to gray.

    Raises
    ------
    PixelDecodeError, NotMammographyError
    """
    with _opened(path) as image:
        return _gray(image, path)


def _gray(image: Image, path: Path) -> NDArray[np.generic]:
    if image.mode == "F":
        # What its values mean, and which of them are black and white, stands nowhere.
        raise PixelDecodeError(mark("{name} holds fractions, not gray values."), name=path.name)
    if image.mode not in GRAY_MODES or GRAY_MODES[image.mode] == 8:
        _check_gray(image, path)
        image = image.convert("L")
    try:
        values = np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise PixelDecodeError(UNREADABLE, name=path.name) from error
    return values if values.dtype == np.uint8 else np.clip(values, 0, 65535).astype(np.uint16)


def _is_negative(image: Image) -> bool:
    """A TIFF whose zero is white: Pillow turns 8 bits round and leaves 16 as they are."""
    tags = cast("Mapping[int, object]", getattr(image, "tag_v2", {}))
    return GRAY_MODES.get(image.mode) == 16 and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def _opened(path: Path) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with ExitStack() as until_loaded:
            image = until_loaded.enter_context(Image.open(path))
            columns, rows = image.size
            check_size(path.name, rows, columns, 1, 16)
            image.load()
            until_loaded.pop_all()
            return image
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, ImportError) as error:
        # ImportError: ultralytics, once imported, has Pillow ask for a HEIF reader first.
        raise PixelDecodeError(
            UNREADABLE, name=path.name, detail=type(error).__name__
        ) from error
    except Image.DecompressionBombError as error:
        raise PixelDecodeError(UNREADABLE, name=path.name, detail="too many pixels") from error


def _check_gray(image: Image, path: Path) -> None:
    """A photograph is refused: its channels differ widely."""
    if image.mode not in ("RGB", "RGBA", "CMYK", "YCbCr"):
        return
    small = np.asarray(image.convert("RGB").resize((64, 64)), np.int16)
    if int(np.ptp(small, axis=2).max()) > 48:
        raise NotMammographyError(
            mark("{name} is a colour picture, not a mammogram."), name=path.name
        )


def _uid(path: Path) -> str:
    """A UID from the content: the same film is the same image wherever it lies."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"2.25.{int(digest[:32], 16)}"
