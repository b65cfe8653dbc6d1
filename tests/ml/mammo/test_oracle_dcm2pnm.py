"""Our gray against DCMTK's, for every stored value."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from ml.mammo.codes import VoiFunction
from ml.mammo.luts import as_index, display_table
from ml.mammo.mammogram import LookupTable, Mammogram, PixelFormat, Rescale, Window
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from tests.factories.headers import mammogram_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not shutil.which("dcm2pnm"), reason="dcmtk is not installed")

UNSIGNED = np.arange(4096, dtype=np.uint16).reshape(64, 64)
SIGNED = (np.arange(4096, dtype=np.int16) - 2048).reshape(64, 64)
CURVE = (np.sin(np.linspace(0, np.pi / 2, 1000)) * 1023).astype(np.uint16)


def write_dicom(path: Path, mammogram: Mammogram, pixels: np.ndarray) -> None:
    form = mammogram.pixel_format
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.2", generate_uid()
    ds.StudyInstanceUID = generate_uid()
    ds.Rows, ds.Columns, ds.SamplesPerPixel = *pixels.shape, 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, form.bits_stored, form.bits_stored - 1
    ds.PixelRepresentation = int(form.signed)
    ds.PhotometricInterpretation = "MONOCHROME1" if form.inverted else "MONOCHROME2"
    if mammogram.presentation_inverse:
        ds.PresentationLUTShape = "INVERSE"
    mask = (1 << form.bits_stored) - 1
    ds.PixelData = (pixels.view(np.uint16) & mask).astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    add_modality(ds, mammogram.modality)
    ds.VOILUTSequence = [lut_item(v) for v in mammogram.voi if isinstance(v, LookupTable)]
    plain = [v for v in mammogram.voi if isinstance(v, Window)]
    if plain:
        ds.WindowCenter = [w.center for w in plain]
        ds.WindowWidth = [w.width for w in plain]
        ds.VOILUTFunction = plain[0].function.value
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)


def add_modality(ds: Dataset, modality: Rescale | LookupTable) -> None:
    if isinstance(modality, LookupTable):
        ds.ModalityLUTSequence = [lut_item(modality)]
        ds.ModalityLUTSequence[0].ModalityLUTType = "US"
        return
    ds.RescaleSlope, ds.RescaleIntercept = modality.slope, modality.intercept
    ds.RescaleType = "US"


def lut_item(table: LookupTable) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(table.data), table.first, table.bits])
    # As most devices write it: words in bytes, for which the byte order matters.
    item.add_new(0x00283006, "OW", table.data.astype("<u2").tobytes())
    return item


def oracle_gray(path: Path, *options: str) -> np.ndarray:
    out = path.with_suffix(".pgm")
    subprocess.run(["dcm2pnm", *options, str(path), str(out)], check=True, capture_output=True)
    return cv2.imread(str(out), cv2.IMREAD_UNCHANGED).astype(int)


def check(tmp_path: Path, pixels: np.ndarray, *options: str, **header: object) -> None:
    mammogram = mammogram_of(pixels, **header)
    write_dicom(tmp_path / "x.dcm", mammogram, pixels)
    ours = display_table(mammogram, mammogram.voi[0])[as_index(pixels)].astype(int)
    theirs = oracle_gray(tmp_path / "x.dcm", *options)
    assert theirs.max() > theirs.min()
    assert np.abs(ours - theirs).max() <= 1
    read = read_mammogram(tmp_path / "x.dcm")
    gray = display_table(read, read.voi[0])[as_index(read_pixels(read))].astype(int)
    assert np.array_equal(gray, ours), "the same from the file as from the values"


WINDOWS = [(2000.0, 1000.0), (1234.5, 77.0), (300.0, 3000.0), (4000.0, 2.0), (100.0, 1.0)]


@pytest.mark.parametrize("window", WINDOWS)
def test_linear(tmp_path: Path, window: tuple[float, float]) -> None:
    form = PixelFormat(12)
    check(tmp_path, UNSIGNED, "+Wi", "1", pixel_format=form, voi=(Window(*window),))


@pytest.mark.parametrize("window", WINDOWS[:3])
def test_sigmoid(tmp_path: Path, window: tuple[float, float]) -> None:
    voi = (Window(*window, VoiFunction.SIGMOID),)
    check(tmp_path, UNSIGNED, "+Wi", "1", "+Wfs", pixel_format=PixelFormat(12), voi=voi)


@pytest.mark.parametrize("window", [(0.0, 1000.0), (-700.0, 333.0)])
@pytest.mark.parametrize("inverted", [False, True])
def test_signed(tmp_path: Path, window: tuple[float, float], inverted: bool) -> None:
    form = PixelFormat(12, signed=True, inverted=inverted)
    check(tmp_path, SIGNED, "+Wi", "1", pixel_format=form, voi=(Window(*window),))


@pytest.mark.parametrize("shape", [False, True])
def test_monochrome1_with_and_without_the_inverse_shape(tmp_path: Path, shape: bool) -> None:
    check(
        tmp_path,
        UNSIGNED,
        "+Wi",
        "1",
        pixel_format=PixelFormat(12, inverted=True),
        presentation_inverse=shape,
        voi=(Window(2000, 1000),),
    )


@pytest.mark.parametrize("rescale", [Rescale(2.0, -1000.0), Rescale(0.5, 10.0)])
def test_rescale(tmp_path: Path, rescale: Rescale) -> None:
    check(
        tmp_path,
        UNSIGNED,
        "+Wi",
        "1",
        pixel_format=PixelFormat(12),
        modality=rescale,
        voi=(Window(900, 800),),
    )


@pytest.mark.parametrize("first", [0, 500])
def test_voi_lut(tmp_path: Path, first: int) -> None:
    table = LookupTable(CURVE, first, 10)
    check(tmp_path, UNSIGNED, "+Wl", "1", pixel_format=PixelFormat(12), voi=(table,))


def test_modality_lut(tmp_path: Path) -> None:
    check(
        tmp_path,
        UNSIGNED,
        "+Wi",
        "1",
        pixel_format=PixelFormat(12),
        modality=LookupTable(CURVE, 300, 10),
        voi=(Window(500, 400),),
    )
