"""Windows and tables of a header: every form they come in, and what is left out and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from ml.mammo.codes import VoiFunction
from ml.mammo.luts import default_voi
from ml.mammo.mammogram import LookupTable, Rescale, Window
from ml.mammo.read import read_mammogram
from ml.mammo.voi import DAMAGED_LUT, NO_RESCALE, NO_WINDOW
from tests.factories import dicom
from tests.factories.dicom import make_dicom, make_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from ml.mammo.mammogram import Mammogram


def lut(descriptor: list[int], data: bytes | list[int], vr: str, said: str = "") -> Dataset:
    item = Dataset()
    item.add_new((0x0028, 0x3002), "SS" if min(descriptor) < 0 else "US", descriptor)
    item.add_new((0x0028, 0x3006), vr, data)
    if said:
        item.LUTExplanation = said
    return item


def words(values: ArrayLike) -> bytes:
    return np.asarray(values, "<u2").tobytes()


def read(folder: Path, **header: Any) -> Mammogram:
    return read_mammogram(make_dicom(folder / "a.dcm", pixel_data=b"", **header))


def alarms(mammogram: Mammogram) -> list[str]:
    return [alarm.template for alarm in mammogram.alarms]


def test_every_window_with_its_name(tmp_path: Path) -> None:
    image = read(
        tmp_path,
        WindowCenter=["2000", "1500.5"],
        WindowWidth=["800", "400"],
        WindowCenterWidthExplanation=["NORMAL", "HARDER"],
        VOILUTFunction="SIGMOID",
    )
    assert image.voi == (
        Window(2000.0, 800.0, VoiFunction.SIGMOID, "NORMAL"),
        Window(1500.5, 400.0, VoiFunction.SIGMOID, "HARDER"),
    )
    assert image.alarms == ()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, VoiFunction.LINEAR),
        ("LINEAR_EXACT", VoiFunction.LINEAR_EXACT),
        ("CUBIC", VoiFunction.LINEAR),
    ],
)
def test_functions(said: str | None, meant: VoiFunction, tmp_path: Path) -> None:
    image = read(tmp_path, WindowCenter="20", WindowWidth="8", VOILUTFunction=said)
    assert image.voi == (Window(20.0, 8.0, meant),)


@pytest.mark.parametrize(
    ("centers", "widths", "usable"),
    [
        (["100", "200"], ["0", "50"], [200.0]),
        (["100"], ["-5"], []),
        (["100", "200"], ["50"], [100.0]),
        (["100"], None, []),
        (["100"], ["inf"], []),
        (["100"], ["nan"], []),
        (["100"], ["wide"], []),
    ],
)
def test_windows_that_are_none(
    centers: list[str], widths: list[str] | None, usable: list[float], tmp_path: Path
) -> None:
    tags = {(0x0028, 0x1050): ("LO", centers)}
    if widths is not None:
        tags[0x0028, 0x1051] = ("LO", widths)
    image = read(tmp_path, tags=tags)
    assert [voi.center for voi in image.voi if isinstance(voi, Window)] == usable
    assert alarms(image) == [NO_WINDOW]


@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.IMPLICIT, dicom.BIG])
@pytest.mark.parametrize("vr", ["OW", "US"])
def test_tables_of_words(vr: str, syntax: str, tmp_path: Path) -> None:
    values = np.arange(256) * 255  # no entry reads the same from both ends
    order = ">u2" if syntax == dicom.BIG else "<u2"
    data = values.astype(order).tobytes() if vr == "OW" else values.tolist()
    item = lut([256, 100, 16], data, vr, "STEEP")
    image = read(tmp_path, VOILUTSequence=[item], syntax=syntax)
    (table,) = image.voi
    assert isinstance(table, LookupTable)
    assert (table.first, table.bits, table.explanation) == (100, 16, "STEEP")
    assert np.array_equal(table.data, values)
    assert image.alarms == ()


def test_tables_of_bytes(tmp_path: Path) -> None:
    """256 entries of 8 bits, two to a word."""
    packed = np.arange(256, dtype=np.uint8)
    (table,) = read(tmp_path, VOILUTSequence=[lut([256, 0, 8], packed.tobytes(), "OW")]).voi
    assert isinstance(table, LookupTable)
    assert np.array_equal(table.data, packed)


def test_0_entries_are_65536(tmp_path: Path) -> None:
    values = np.arange(65536)[::-1]
    (table,) = read(tmp_path, VOILUTSequence=[lut([0, 0, 16], words(values), "OW")]).voi
    assert isinstance(table, LookupTable)
    assert np.array_equal(table.data, values)


@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.IMPLICIT])
def test_a_table_over_signed_values(syntax: str, tmp_path: Path) -> None:
    pixels = make_pixels(12, signed=True)
    item = lut([4096, -2048, 12], words(np.arange(4096)), "OW")
    path = make_dicom(tmp_path / "a.dcm", pixels, syntax=syntax, VOILUTSequence=[item])
    (table,) = read_mammogram(path).voi
    assert isinstance(table, LookupTable)
    assert (table.first, len(table.data)) == (-2048, 4096)


@pytest.mark.parametrize(
    "item",
    [
        lut([256, 0, 16], words(np.arange(255)), "OW"),
        lut([256, 0, 16], b"", "OW"),
        lut([256, 0], words(np.arange(256)), "OW"),
        lut([256, 0, 40], words(np.arange(256)), "OW"),
        lut([256, 0, 0], words(np.arange(256)), "OW"),
        Dataset(),
    ],
)
@pytest.mark.parametrize(
    "sequence", ["VOILUTSequence", "ModalityLUTSequence", "PresentationLUTSequence"]
)
def test_damaged_tables_are_left_out_and_told(
    sequence: str, item: Dataset, tmp_path: Path
) -> None:
    image = read(tmp_path, WindowCenter="20", WindowWidth="8", **{sequence: [item]})
    assert DAMAGED_LUT in alarms(image)
    assert image.voi == (Window(20.0, 8.0),)
    assert image.modality == Rescale()
    assert image.presentation_lut is None


@pytest.mark.parametrize(
    ("slope", "intercept", "meant"),
    [
        ("2", "-1000", Rescale(2.0, -1000.0)),
        (None, None, Rescale()),
        ("nan", "inf", Rescale()),
        ("-1", "4095", Rescale(-1.0, 4095.0)),
    ],
)
def test_rescale(
    slope: str | None, intercept: str | None, meant: Rescale, tmp_path: Path
) -> None:
    tags = {
        tag: ("LO", value)
        for tag, value in (((0x0028, 0x1053), slope), ((0x0028, 0x1052), intercept))
        if value is not None
    }
    image = read(tmp_path, tags=tags)
    assert (image.modality, image.alarms) == (meant, ())


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [("0", "5"), ("1e308", "0"), ("-1e200", "0"), ("1e-320", "0"), ("1", "1e300")],
)
def test_a_senseless_rescale_is_left_out_and_told(
    slope: str, intercept: str, tmp_path: Path
) -> None:
    tags = {(0x0028, 0x1053): ("LO", slope), (0x0028, 0x1052): ("LO", intercept)}
    image = read(tmp_path, tags=tags)
    assert (image.modality, alarms(image)) == (Rescale(), [NO_RESCALE])


def test_a_frames_own_windows_come_before_those_of_all(tmp_path: Path) -> None:
    def group(center: str | None) -> Dataset:
        item, voi = Dataset(), Dataset()
        if center:
            voi.WindowCenter, voi.WindowWidth = center, "10"
            item.FrameVOILUTSequence = [voi]
        return item

    frames = np.stack([make_pixels(12, seed=seed) for seed in range(2)])
    path = make_dicom(
        tmp_path / "a.dcm",
        frames,
        SOPClassUID=dicom.TOMOSYNTHESIS,
        SharedFunctionalGroupsSequence=[group("7")],
        PerFrameFunctionalGroupsSequence=[group(None), group("9")],
    )
    image = read_mammogram(path)
    shown = [default_voi(image, frames[n], n) for n in range(2)]
    assert [voi.center for voi in shown if isinstance(voi, Window)] == [7.0, 9.0]
