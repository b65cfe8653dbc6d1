from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.errors import ReadError
from ml.mammo.codes import ImageKind, Laterality
from ml.mammo.film import read_film
from ml.mammo.luts import as_index, display_table
from ml.mammo.orient import to_upright
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from tests.factories.breasts import make_breast
from tests.factories.dicom import make_dicom

if TYPE_CHECKING:
    from pathlib import Path


def breast(wall: str, kind: type = np.uint8, top: int = 255) -> np.ndarray:
    return make_breast(wall, kind, top)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
@pytest.mark.parametrize(("wall", "side"), [("left", "L"), ("right", "R")])
def test_a_films_side_is_found_from_its_pixels(
    wall: str, side: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"film.{ending}"
    Image.fromarray(breast(wall)).save(path)
    film = read_mammogram(path)
    assert film.kind is ImageKind.PICTURE
    assert film.laterality is not None
    assert (film.laterality.value.value, film.laterality.reason) == (side, "pixels")
    said = [alarm.template for alarm in film.alarms]
    assert "Not DICOM: no scale, no identity." in said
    assert any("from the pixels" in text for text in said)
    assert film.spacing is None
    assert film.patient.patient_id == ""


def test_a_name_is_believed_and_a_mirrored_film_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "woman_RCC.png"
    Image.fromarray(breast("left")).save(path)
    film = read_film(path)
    assert film.laterality is not None
    assert film.laterality.value is Laterality.RIGHT
    assert to_upright(film).cc == -1
    assert any("turned" in alarm.template for alarm in film.alarms)
    agreed = tmp_path / "woman_LCC.png"
    Image.fromarray(breast("left")).save(agreed)
    assert to_upright(read_film(agreed)).cc == 1


def test_16_bit_and_colour_films(tmp_path: Path) -> None:
    deep = breast("left", np.uint16, 65535)
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    film = read_film(tmp_path / "deep.tif")
    assert film.pixel_format.bits_allocated == 16
    assert np.array_equal(read_pixels(film), deep)
    gray = np.repeat(breast("left")[..., None], 3, 2)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    assert np.array_equal(read_pixels(read_film(tmp_path / "gray.png")), breast("left"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_tiff_whose_zero_is_white(kind: type, tmp_path: Path) -> None:
    """Shown like its positive, however many bits it has."""
    top = np.iinfo(kind).max
    positive, negative = tmp_path / "positive.tif", tmp_path / "negative.tif"
    positive.write_bytes(tiff(breast("left", kind, top), 1))
    negative.write_bytes(tiff(top - breast("left", kind, top), 0))
    shown = []
    for path in (positive, negative):
        film = read_film(path)
        assert film.laterality is not None
        assert film.laterality.value is Laterality.LEFT
        shown.append(display_table(film, None)[as_index(read_pixels(film))].astype(int))
    assert np.abs(shown[0] - shown[1]).max() <= 1
    assert shown[0][300, 5] > 150


def tiff(pixels: np.ndarray, photometric: int) -> bytes:
    """The least that is a TIFF: Pillow cannot write one with zero for white."""
    data = pixels.tobytes()
    rows, columns = pixels.shape
    tags = {256: columns, 257: rows, 258: pixels.itemsize * 8, 259: 1, 262: photometric}
    tags |= {273: 8, 277: 1, 278: rows, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def test_a_film_of_fractions_is_refused(tmp_path: Path) -> None:
    Image.fromarray(breast("left").astype(np.float32) / 255).save(tmp_path / "film.tif")
    with pytest.raises(ReadError, match="fractions"):
        read_film(tmp_path / "film.tif")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + b"x" * 50, b"GIF89a"])
def test_what_is_no_picture(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="damaged or no image"):
        read_film(path)


def test_a_photograph_is_refused(tmp_path: Path) -> None:
    colours = np.zeros((80, 80, 3), np.uint8)
    colours[:40, :, 0] = 200
    Image.fromarray(colours).save(tmp_path / "holiday.png")
    with pytest.raises(ReadError, match="colour picture"):
        read_film(tmp_path / "holiday.png")


def test_a_truncated_picture(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    Image.fromarray(breast("left")).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ReadError, match="damaged or no image"):
        read_film(path)


def test_a_dicom_image_without_a_side_is_looked_at(tmp_path: Path) -> None:
    pixels = breast("right", np.uint16, 4095)
    header = {"ImageLaterality": None, "PatientOrientation": None}
    image = read_mammogram(make_dicom(tmp_path / "a.dcm", pixels, **header))
    assert image.laterality is not None
    assert (image.laterality.value, image.laterality.reason) == (Laterality.RIGHT, "pixels")
    empty = make_dicom(tmp_path / "b.dcm", pixels, pixel_data=b"", **header)
    assert read_mammogram(empty).laterality is None
    said = read_mammogram(make_dicom(tmp_path / "c.dcm", pixels, PatientOrientation=None))
    assert said.laterality is not None
    assert said.laterality.reason == "Image Laterality"
