from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from ml.mammo.codes import VoiFunction
from ml.mammo.luts import as_index, default_voi, display_table
from ml.mammo.mammogram import LookupTable, Padding, PixelFormat, Rescale, Window
from tests.factories.headers import mammogram_of

TWELVE = PixelFormat(12)
PIXELS = np.arange(4096, dtype=np.uint16).reshape(64, 64)

windows = st.builds(
    Window, st.floats(-5000, 70000), st.floats(1, 70000), st.sampled_from(VoiFunction)
)
formats = st.builds(PixelFormat, st.integers(8, 16), st.booleans(), st.booleans())


@given(windows, formats)
def test_gray_never_turns_back(window: Window, form: PixelFormat) -> None:
    mammogram = mammogram_of(PIXELS, pixel_format=form)
    step = np.diff(display_table(mammogram, window).astype(int))
    assert (step <= 0).all() if form.inverted else (step >= 0).all()


@given(windows, formats)
def test_the_readers_inversion_is_the_complement(window: Window, form: PixelFormat) -> None:
    mammogram = mammogram_of(PIXELS, pixel_format=form)
    plain = display_table(mammogram, window).astype(int)
    assert np.abs(plain + display_table(mammogram, window, inverted=True) - 255).max() <= 1


@pytest.mark.parametrize("function", list(VoiFunction))
def test_a_window_inside_the_range_reaches_black_and_white(function: VoiFunction) -> None:
    mammogram = mammogram_of(PIXELS, pixel_format=TWELVE)
    table = display_table(mammogram, Window(2000, 400, function))
    assert (table[0], table[4095], table[65535]) == (0, 255, 255)
    assert abs(int(table[2000]) - 128) <= 1


def test_linear_is_the_standards_formula() -> None:
    # PS3.3 C.11.2.1.2.1, its own example: center 2048, width 4096 is the identity of 12 bits.
    table = display_table(mammogram_of(PIXELS, pixel_format=TWELVE), Window(2048, 4096))
    stored = np.arange(4096)
    assert np.abs(table[:4096] - stored * 255 / 4095).max() <= 0.5 + 1e-9
    step = display_table(mammogram_of(PIXELS, pixel_format=TWELVE), Window(100, 1))
    assert (step[99], step[100]) == (0, 255)


@pytest.mark.parametrize("window", [(1000.0, 500.0), (2047.5, 1.0), (0.3, 4096.0)])
def test_linear_exact_agrees_with_pydicom(window: tuple[float, float]) -> None:
    ds = Dataset()
    ds.PhotometricInterpretation, ds.BitsStored = "MONOCHROME2", 12
    ds.PixelRepresentation, ds.VOILUTFunction = 0, "LINEAR_EXACT"
    ds.WindowCenter, ds.WindowWidth = window
    expected = apply_windowing(np.arange(4096, dtype=np.uint16), ds) / 4095 * 255
    table = display_table(
        mammogram_of(PIXELS, pixel_format=TWELVE), Window(*window, VoiFunction.LINEAR_EXACT)
    )
    assert np.abs(table[:4096] - expected).max() <= 1


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("monochrome1", [False, True])
def test_padding_is_black_whatever_is_asked(inverted: bool, monochrome1: bool) -> None:
    mammogram = mammogram_of(
        PIXELS, pixel_format=PixelFormat(12, inverted=monochrome1), padding=Padding(10, 20)
    )
    table = display_table(mammogram, Window(2048, 4096), inverted=inverted)
    assert not table[10:21].any()
    assert (table[9] > 200) == (table[21] > 200) == (inverted != monochrome1)


@pytest.mark.parametrize("padding", [Padding(-2000, -1990), Padding(5000, 9000)])
def test_padding_outside_the_format_blackens_nothing_else(padding: Padding) -> None:
    plain = mammogram_of(PIXELS, pixel_format=TWELVE)
    padded = mammogram_of(PIXELS, pixel_format=TWELVE, padding=padding)
    window = Window(0, 100)
    assert np.array_equal(display_table(padded, window), display_table(plain, window))


def test_signed_values_are_indexed_upwards() -> None:
    pixels = np.array([[-32768, -1, 0, 32767]], np.int16)
    assert as_index(pixels).tolist() == [[0, 32767, 32768, 65535]]
    mammogram = mammogram_of(pixels, padding=Padding(-32768, -32768))
    gray = display_table(
        mammogram, Window(-0.5, 65536, VoiFunction.LINEAR_EXACT), inverted=True
    )
    assert gray[as_index(pixels)].tolist() == [[0, 128, 127, 0]]
    assert as_index(np.array([-3], np.int8)).tolist() == [32765]
    assert as_index(np.array([7], np.uint8)).dtype == np.uint16


def test_a_presentation_lut_follows_the_window() -> None:
    curve = LookupTable(np.array([0, 10, 200, 255], np.uint16), 0, 8)
    mammogram = mammogram_of(PIXELS, pixel_format=TWELVE, presentation_lut=curve)
    table = display_table(mammogram, Window(2048, 4096))
    assert set(table.tolist()) == {0, 10, 200, 255}


def test_without_a_window_the_whole_range_is_shown() -> None:
    table = display_table(mammogram_of(PIXELS, pixel_format=TWELVE), None)
    assert (table[0], table[4095]) == (0, 255)


def test_the_files_first_voi_is_the_default_and_a_frames_own_comes_before() -> None:
    first, second = Window(10, 20), Window(30, 40)
    mammogram = mammogram_of(PIXELS, voi=(first, second), frame_voi=((second,), ()))
    assert default_voi(mammogram) is second
    assert default_voi(mammogram, frame=1) is first
    assert default_voi(mammogram_of(PIXELS)) is None


@pytest.mark.parametrize("monochrome1", [False, True])
def test_without_one_the_window_lies_over_the_breast(monochrome1: bool) -> None:
    rng = np.random.default_rng(5)
    pixels = rng.normal(200, 5, (300, 200)).astype(np.uint16)
    pixels[50:250, :120] = rng.uniform(1500, 2500, (200, 120)).astype(np.uint16)
    form = PixelFormat(12, inverted=monochrome1)
    pixels = np.uint16(4095) - pixels if monochrome1 else pixels
    mammogram = mammogram_of(pixels, pixel_format=form, modality=Rescale(1.0, 100.0))
    window = default_voi(mammogram, pixels)
    assert isinstance(window, Window)
    middle = (4095 - 2000 if monochrome1 else 2000) + 100
    assert window.center == pytest.approx(middle, abs=120)
    assert 700 < window.width < 1300
