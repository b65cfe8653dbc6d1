"""Every transfer syntax, beside a second decoder that nobody here wrote."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.utils import pixel_array

from ml.errors import PixelDecodeError, ReadError
from ml.mammo.encode import TransferSyntax, encode_frame
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from tests.factories import dicom
from tests.factories.dicom import make_dicom, make_pixels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

J2K_FAMILY = (
    *(dicom.JPEG_2000, dicom.JPEG_2000_LOSSY),
    *(dicom.HTJ2K, dicom.HTJ2K_RPCL, dicom.HTJ2K_LOSSY),
)
BITS = (10, 12, 14, 16)


def lossless(syntax: str, bits: int) -> Callable[[NDArray[np.generic]], bytes]:
    return lambda frame: encode_frame(frame, bits, TransferSyntax(syntax))  # type: ignore[arg-type]


def jpeg_2000(frame: NDArray[np.generic], bits: int, level: int = 0) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            frame, level=level, codecformat="j2k", bitspersample=bits, reversible=not level
        )
    )


def htj2k(frame: NDArray[np.generic], **how: object) -> bytes:
    """By OpenJPH, in its order of progression: RPCL."""
    stream = bytes(imagecodecs.htj2k_encode(frame, **how))  # type: ignore[arg-type]
    cod = stream.find(b"\xff\x52")
    assert stream[cod + 5] == 2, "RPCL (ITU-T T.800 table A.16)"
    return stream


def second_decoder(path: Path) -> NDArray[np.generic]:
    """What libjpeg (Richter's), OpenJPEG or pydicom say; none of them is imagecodecs."""
    from libjpeg.utils import decode as jpeg
    from openjpeg.utils import decode as jpeg_2000

    dataset = pydicom.dcmread(path)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == dicom.HTJ2K_LOSSY:  # we ask OpenJPEG, so OpenJPH is the second one
        return imagecodecs.htj2k_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
    if not syntax.is_encapsulated or syntax == dicom.RLE:
        return pixel_array(dataset, raw=True)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    return jpeg_2000(frame) if syntax in J2K_FAMILY else jpeg(frame)


@pytest.mark.parametrize("bits", [8, *BITS])
@pytest.mark.parametrize("syntax", [dicom.IMPLICIT, dicom.LITTLE, dicom.BIG, dicom.DEFLATED])
def test_uncompressed(syntax: str, bits: int, tmp_path: Path) -> None:
    pixels = make_pixels(bits)
    path = make_dicom(tmp_path / "a.dcm", pixels, bits=bits, syntax=syntax)
    seen = read_pixels(read_mammogram(path))
    assert seen.dtype == pixels.dtype
    assert np.array_equal(seen, pixels)
    assert np.array_equal(seen, second_decoder(path))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("syntax", [s.value for s in TransferSyntax if s.compressed])
def test_lossless(syntax: str, bits: int, tmp_path: Path) -> None:
    pixels = make_pixels(bits, rows=65, columns=37)
    path = make_dicom(
        tmp_path / "a.dcm", pixels, bits=bits, syntax=syntax, encode=lossless(syntax, bits)
    )
    seen = read_pixels(read_mammogram(path))
    assert seen.dtype == np.uint16
    assert np.array_equal(seen, pixels)
    assert np.array_equal(second_decoder(path), pixels)


def test_htj2k_rpcl(tmp_path: Path) -> None:
    pixels = make_pixels(16, rows=65, columns=37)
    path = make_dicom(
        tmp_path / "a.dcm",
        pixels,
        bits=16,
        syntax=dicom.HTJ2K_RPCL,
        encode=partial(htj2k, reversible=True, tlm=True),
    )
    mammogram = read_mammogram(path)
    assert mammogram.lossy is None
    assert np.array_equal(read_pixels(mammogram), pixels)
    assert np.array_equal(second_decoder(path), pixels)


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_jpeg_lossless(predictor: int, tmp_path: Path) -> None:
    pixels = make_pixels(12)
    path = make_dicom(
        tmp_path / "a.dcm",
        pixels,
        syntax=dicom.JPEG_LOSSLESS,
        encode=lambda frame: bytes(
            imagecodecs.jpeg_encode(frame, lossless=True, predictor=predictor, bitspersample=12)
        ),
    )
    assert np.array_equal(read_pixels(read_mammogram(path)), pixels)
    assert np.array_equal(second_decoder(path), pixels)


def test_lossy(tmp_path: Path) -> None:
    """Two decoders of a lossy stream may round differently: by one, no more."""
    cases = {
        dicom.JPEG_BASELINE: (8, lambda f: imagecodecs.jpeg_encode(f, level=90)),
        dicom.JPEG_EXTENDED: (
            12,
            lambda f: imagecodecs.jpeg_encode(f, level=95, bitspersample=12),
        ),
        dicom.JPEG_LS_LOSSY: (12, lambda f: imagecodecs.jpegls_encode(f, level=3)),
        dicom.JPEG_2000_LOSSY: (12, partial(jpeg_2000, bits=12, level=60)),
        dicom.HTJ2K_LOSSY: (16, partial(htj2k, reversible=False, level=0.001)),
    }
    for syntax, (bits, encode) in cases.items():
        pixels = make_pixels(bits)
        path = make_dicom(tmp_path / "a.dcm", pixels, bits=bits, syntax=syntax, encode=encode)
        mammogram = read_mammogram(path)
        seen = read_pixels(mammogram).astype(int)
        assert mammogram.lossy is not None, syntax
        assert np.abs(seen - second_decoder(path)).max() <= 1, syntax
        assert np.abs(seen - pixels).mean() < 0.02 * 2**bits, syntax


@pytest.mark.skipif(not shutil.which("dcmcjpeg"), reason="dcmtk is not installed")
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("dcmcjpeg", "+e1"),
        ("dcmcjpeg", "+el"),
        ("dcmcjpls", "+el"),
        ("dcmcrle", "--write-xfer-same"),
    ],
)
def test_what_dcmtk_writes(command: str, option: str, tmp_path: Path) -> None:
    if command == "dcmcrle":
        option = ""
    pixels = make_pixels(12, rows=65, columns=37)
    plain = make_dicom(tmp_path / "plain.dcm", pixels)
    packed = tmp_path / "packed.dcm"
    subprocess.run([command, *filter(None, [option]), str(plain), str(packed)], check=True)
    assert np.array_equal(read_pixels(read_mammogram(packed)), pixels)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.BIG, dicom.RLE, dicom.JPEG_2000])
def test_signed(syntax: str, bits: int, tmp_path: Path) -> None:
    pixels = make_pixels(bits, signed=True)
    encode = {
        dicom.JPEG_2000: partial(jpeg_2000, bits=bits),
        dicom.RLE: lambda f: lossless(dicom.RLE, 16)(f.view(np.uint16)),
    }.get(syntax)
    path = make_dicom(tmp_path / "a.dcm", pixels, bits=bits, syntax=syntax, encode=encode)
    seen = read_pixels(read_mammogram(path))
    assert seen.dtype == np.int16
    assert np.array_equal(seen, pixels)


def test_signed_without_sign_extension(tmp_path: Path) -> None:
    pixels = make_pixels(12, signed=True)
    cut = (pixels.view(np.uint16) & 0x0FFF).view(np.int16)
    path = make_dicom(tmp_path / "a.dcm", cut)
    assert np.array_equal(read_pixels(read_mammogram(path)), pixels)


def test_overlay_bits_above_the_stored_ones_are_dropped(tmp_path: Path) -> None:
    pixels = make_pixels(12)
    path = make_dicom(tmp_path / "a.dcm", np.bitwise_or(pixels, 0x8000).astype(np.uint16))
    assert np.array_equal(read_pixels(read_mammogram(path)), pixels)


def test_8_bit_pixels_in_big_endian_words_are_refused(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", make_pixels(8), bits=8, syntax=dicom.BIG)
    path.write_bytes(path.read_bytes().replace(b"\x7f\xe0\x00\x10OB", b"\x7f\xe0\x00\x10OW"))
    with pytest.raises(PixelDecodeError, match="not supported"):
        read_pixels(read_mammogram(path))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, *BITS])
def test_a_reduced_jpeg_2000_is_on_the_scale_of_the_whole(
    bits: int, signed: bool, tmp_path: Path
) -> None:
    if signed and bits == 8:
        return
    pixels = make_pixels(bits, rows=130, columns=102, signed=signed)
    path = make_dicom(
        tmp_path / "a.dcm",
        pixels,
        bits=bits,
        syntax=dicom.JPEG_2000,
        encode=partial(jpeg_2000, bits=bits),
    )
    _is_a_smaller_copy(path, pixels, bits)


@pytest.mark.parametrize("bits", BITS)
def test_a_reduced_htj2k_is_on_the_scale_of_the_whole(bits: int, tmp_path: Path) -> None:
    pixels = make_pixels(bits, rows=130, columns=102)
    path = make_dicom(
        tmp_path / "a.dcm",
        pixels,
        bits=bits,
        syntax=dicom.HTJ2K,
        encode=lossless(dicom.HTJ2K, bits),
    )
    _is_a_smaller_copy(path, pixels, bits)


def _is_a_smaller_copy(path: Path, pixels: NDArray[np.generic], bits: int) -> None:
    small = read_pixels(read_mammogram(path), reduce=2)
    assert small.shape == (33, 26)
    assert small.dtype == pixels.dtype
    there = pixels[::4, ::4].astype(float)
    assert np.abs(there - small).mean() < 0.02 * 2**bits
    assert np.corrcoef(there.ravel(), small.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.RLE, dicom.JPEG_LS, dicom.HTJ2K])
def test_each_frame_of_several(syntax: str, tmp_path: Path) -> None:
    frames = np.stack([make_pixels(12, seed=seed) for seed in range(5)])
    encode = lossless(syntax, 12) if syntax in dicom.ENCAPSULATED else None
    path = make_dicom(tmp_path / "a.dcm", frames, syntax=syntax, encode=encode)
    mammogram = read_mammogram(path)
    assert mammogram.frames == 5
    for number, frame in enumerate(frames):
        assert np.array_equal(read_pixels(mammogram, number), frame)
    with pytest.raises(ValueError, match="frame 5"):
        read_pixels(mammogram, 5)


@pytest.mark.parametrize(
    ("syntax", "said", "lossy"),
    [
        (dicom.LITTLE, "01", True),
        (dicom.LITTLE, "00", False),
        (dicom.LITTLE, None, False),
        (dicom.JPEG_BASELINE, None, True),
        (dicom.JPEG_EXTENDED, "00", True),
        (dicom.JPEG_2000_LOSSY, None, True),
        (dicom.JPEG_2000_LOSSY, "00", False),
        (dicom.JPEG_LS_LOSSY, "01", True),
        (dicom.JPEG_2000, None, False),
    ],
)
def test_loss_is_said_by_header_or_syntax(
    syntax: str, said: str | None, lossy: bool, tmp_path: Path
) -> None:
    encode = (lambda _: b"12") if syntax in dicom.ENCAPSULATED else None
    header = {"LossyImageCompression": said, "LossyImageCompressionRatio": "8.5"}
    path = make_dicom(tmp_path / "a.dcm", syntax=syntax, encode=encode, **header)
    seen = read_mammogram(path).lossy
    assert (seen is not None) is lossy
    assert seen is None or seen.ratio == 8.5


@pytest.mark.parametrize("per_frame", [1, 2])
@pytest.mark.parametrize("table", [True, False])
def test_frames_in_fragments(per_frame: int, table: bool, tmp_path: Path) -> None:
    frames = np.stack([make_pixels(12, seed=seed) for seed in range(3)])
    streams = [jpeg_2000(frame, 12) for frame in frames]
    data = encapsulate(streams, fragments_per_frame=per_frame, has_bot=table)
    path = make_dicom(tmp_path / "a.dcm", frames, syntax=dicom.JPEG_2000, pixel_data=data)
    mammogram = read_mammogram(path)
    for number, frame in enumerate(frames):
        assert np.array_equal(read_pixels(mammogram, number), frame)


def test_bits_that_do_not_begin_at_the_lowest_are_refused(tmp_path: Path) -> None:
    pixels = make_pixels(12).astype(np.uint16) << 4
    with pytest.raises(ReadError, match="12 bits up to bit 15"):
        read_mammogram(make_dicom(tmp_path / "a.dcm", pixels, HighBit=15))


def test_compressed_pixels_under_an_uncompressed_syntax_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    make_dicom(path, syntax=dicom.JPEG_LS, encode=lambda _: bytes(9000))
    said = dicom.JPEG_LS.encode() + b"\0" * (len(dicom.JPEG_LS) % 2)
    path.write_bytes(
        path.read_bytes().replace(said, dicom.LITTLE.ljust(len(said), "\0").encode())
    )
    mammogram = read_mammogram(path)
    assert mammogram.transfer_syntax_uid == dicom.LITTLE
    with pytest.raises(PixelDecodeError, match="damaged"):
        read_pixels(mammogram)


def test_samples_and_header_that_disagree_about_signs(tmp_path: Path) -> None:
    unsigned, signed = make_pixels(12), make_pixels(12, signed=True)
    path = tmp_path / "a.dcm"
    make_dicom(path, unsigned, syntax=dicom.JPEG_2000, encode=lambda _: jpeg_2000(signed, 12))
    for reduce in (0, 2):
        with pytest.raises(PixelDecodeError):
            read_pixels(read_mammogram(path), reduce=reduce)
    patterns = (signed.view(np.uint16) & 0x0FFF).astype(np.uint16)
    make_dicom(path, signed, syntax=dicom.JPEG_2000, encode=lambda _: jpeg_2000(patterns, 12))
    for reduce in (0, 2):
        assert np.array_equal(read_pixels(read_mammogram(path), reduce=reduce), signed)


def test_zeros_behind_a_codestream_are_no_damage(tmp_path: Path) -> None:
    path = make_dicom(
        tmp_path / "a.dcm",
        syntax=dicom.JPEG_2000,
        encode=lambda frame: jpeg_2000(frame, 12) + bytes(10),
    )
    assert np.array_equal(read_pixels(read_mammogram(path)), make_pixels())


def test_a_codestream_of_another_size_is_refused(tmp_path: Path) -> None:
    for syntax in (dicom.JPEG_LS, dicom.JPEG_2000, dicom.HTJ2K, dicom.JPEG_LOSSLESS_SV1):
        path = make_dicom(
            tmp_path / "a.dcm", syntax=syntax, encode=lossless(syntax, 12), Rows=47
        )
        with pytest.raises(PixelDecodeError):
            read_pixels(read_mammogram(path))
