"""Files that are wrong: one sentence each, soon, in little memory; never a silent picture."""

from __future__ import annotations

import functools
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ml.errors import (
    BudgetError,
    MammoError,
    MissingAttributeError,
    NotDicomError,
    NotMammographyError,
    PixelDecodeError,
    ReadError,
)
from ml.mammo.encode import TransferSyntax, encode_frame
from ml.mammo.luts import default_voi, display_table
from ml.mammo.pixels import read_pixels
from ml.mammo.read import NEEDED, read_mammogram
from ml.mammo.scan import find_images
from tests.factories import dicom
from tests.factories.dicom import file_bytes, make_dataset, make_dicom, make_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

COMPRESSED = [syntax for syntax in TransferSyntax if syntax.compressed]
FUZZED = [dicom.LITTLE, dicom.DEFLATED, dicom.JPEG_EXTENDED, *COMPRESSED]
# What reading a damaged file of some kilobytes may take at most.
BOUND_BYTES = 64 << 20


def encoded(syntax: TransferSyntax, frame: NDArray[np.generic]) -> bytes:
    return encode_frame(frame.astype(np.uint16), 12, syntax)


def compressed_file(path: Path, syntax: TransferSyntax, **header: object) -> Path:
    return make_dicom(
        path, syntax=syntax.value, encode=lambda frame: encoded(syntax, frame), **header
    )


def open_whole(path: Path) -> NDArray[np.generic]:
    """All that opening a file for display does in the core."""
    mammogram = read_mammogram(path)
    pixels = read_pixels(mammogram)
    display_table(mammogram, default_voi(mammogram, pixels))
    return pixels


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Nothing here may need much memory, whatever a file claims."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BOUND_BYTES


@pytest.mark.parametrize("content", [b"", b"DICM", b"%PDF-1.7 " * 40, bytes(4096)])
def test_not_dicom(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    with pytest.raises(NotDicomError, match=r"a\.dcm is not a DICOM file"):
        read_mammogram(path)


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be opened"):
        read_mammogram(tmp_path / "none.dcm")
    with pytest.raises(ReadError, match="cannot be opened"):
        read_mammogram(tmp_path)


def test_no_mammogram(tmp_path: Path) -> None:
    chest = make_dicom(
        tmp_path / "a.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT"
    )
    with pytest.raises(NotMammographyError, match="no mammogram"):
        read_mammogram(chest)
    for colour in ({"SamplesPerPixel": 3}, {"PhotometricInterpretation": "PALETTE COLOR"}):
        with pytest.raises(NotMammographyError, match="colour"):
            read_mammogram(make_dicom(tmp_path / "b.dcm", **colour))


@pytest.mark.parametrize("keyword", NEEDED)
def test_missing_attributes(keyword: str, tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", **{keyword: None})
    with pytest.raises(MissingAttributeError, match=keyword):
        read_mammogram(path)


def test_no_pixels(tmp_path: Path) -> None:
    for data in (b"", None):
        path = make_dicom(tmp_path / "a.dcm", pixel_data=data or b"")
        with pytest.raises(PixelDecodeError, match="holds no pixels"):
            open_whole(path)


@pytest.mark.parametrize(
    "claim",
    [
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 0},
        {"NumberOfFrames": 2**31 - 1},
        {"NumberOfFrames": -3},
        {"BitsAllocated": 64},
        {"BitsAllocated": 1, "BitsStored": 1},
    ],
)
def test_absurd_sizes(claim: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        open_whole(make_dicom(tmp_path / "a.dcm", **claim))


def test_more_frames_than_pixels(tmp_path: Path) -> None:
    with pytest.raises(PixelDecodeError, match="ends in the middle"):
        open_whole(make_dicom(tmp_path / "a.dcm", NumberOfFrames=50))


@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.IMPLICIT, dicom.BIG])
def test_truncated_anywhere(syntax: str, tmp_path: Path) -> None:
    whole = make_dicom(tmp_path / "whole.dcm", syntax=syntax).read_bytes()
    path = tmp_path / "a.dcm"
    for length in (*range(0, len(whole) - 1, 97), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ReadError) as told:
            open_whole(path)
        check_sentence(told.value)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_truncated_codestreams(syntax: TransferSyntax, tmp_path: Path) -> None:
    """Cut off within the frame: refused, or as much of the picture as a decoder promises."""
    stream = encoded(syntax, make_pixels())
    refused = 0
    for share in (0.02, 0.2, 0.5, 0.9):
        cut = stream[: int(len(stream) * share)]
        path = make_dicom(tmp_path / "a.dcm", syntax=syntax.value, encode=lambda _, c=cut: c)
        try:
            open_whole(path)
        except ReadError as error:
            check_sentence(error)
            refused += 1
    assert refused == 4


def test_unsupported_syntax(tmp_path: Path) -> None:
    mpeg = make_dicom(tmp_path / "a.dcm")
    mpeg.write_bytes(
        mpeg.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")
    )
    with pytest.raises(ReadError) as told:
        open_whole(mpeg)
    check_sentence(told.value)


@functools.cache
def deflated_zeros() -> bytes:
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    million = bytes(1 << 20)
    return b"".join(deflater.compress(million) for _ in range(400)) + deflater.flush()


def bomb(path: Path, *, before: bytes = b"", wrong_length: bool = False) -> Path:
    """400 MB of zeros in a file of less than one."""
    head = bytearray(file_bytes(Dataset(), dicom.DEFLATED))
    meta = 144 + struct.unpack("<I", head[140:144])[0]
    if wrong_length:
        head[140:144] = struct.pack("<I", 7)
    path.write_bytes(head[:144] + before + head[144:meta] + deflated_zeros())
    assert path.stat().st_size < 1 << 20
    return path


# (0002,0003) of 2,000 bytes: the transfer syntax stands late in the file.
LONG_META = struct.pack("<HH2sH", 2, 3, b"UI", 2000) + b"1" * 2000


@pytest.mark.parametrize("disguise", [{}, {"wrong_length": True}, {"before": LONG_META}])
def test_a_deflated_bomb(disguise: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="inflates to more"):
        read_mammogram(bomb(tmp_path / "a.dcm", **disguise))


LIMITED = """
import resource, sys
from pathlib import Path
import imagecodecs, numpy, pydicom
from ml.errors import ReadError
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
def held():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
hardest = resource.getrlimit(resource.RLIMIT_AS)[1]
for name in sys.argv[1:]:
    resource.setrlimit(resource.RLIMIT_AS, (held() + (512 << 20), hardest))
    try:
        read_pixels(read_mammogram(Path(name)))
    except ReadError as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is kept on Linux only")
def test_bombs_are_refused_in_half_a_gigabyte(tmp_path: Path) -> None:
    """The whole process, decoders included; each claims gigabytes.

    Counted in address space, of which every thread of a decoder reserves 64 MB for its heap:
    one heap for all leaves what is counted to what is read.
    """
    stream = bytearray(encoded(TransferSyntax.JPEG_2000, make_pixels()))
    stream[8:16] = struct.pack(">II", 60000, 60000)
    frame = bytes(stream)
    files = [
        bomb(tmp_path / "1"),
        make_dicom(tmp_path / "2", syntax=dicom.JPEG_2000, encode=lambda _: frame),
        make_dicom(
            tmp_path / "3",
            syntax=dicom.JPEG_2000,
            encode=lambda _: frame,
            Rows=60000,
            Columns=60000,
        ),
        make_dicom(tmp_path / "4", Rows=9000, Columns=9000),
        make_dicom(tmp_path / "5", NumberOfFrames=1999),
    ]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, files)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        *("BudgetError", "PixelDecodeError", "BudgetError"),
        *("PixelDecodeError", "PixelDecodeError"),
    ]


def test_a_jpeg_2000_bomb(tmp_path: Path) -> None:
    stream = bytearray(encoded(TransferSyntax.JPEG_2000, make_pixels()))
    stream[8:16] = struct.pack(">II", 60000, 60000)
    path = make_dicom(
        tmp_path / "a.dcm", syntax=dicom.JPEG_2000, encode=lambda _: bytes(stream)
    )
    with pytest.raises(PixelDecodeError):
        open_whole(path)


@pytest.mark.parametrize("syntax", [TransferSyntax.JPEG_2000, TransferSyntax.JPEG_LS])
def test_a_codestream_and_header_that_agree_on_absurdity(
    syntax: TransferSyntax, tmp_path: Path
) -> None:
    path = compressed_file(tmp_path / "a.dcm", syntax, Rows=60000, Columns=60000)
    with pytest.raises(BudgetError):
        open_whole(path)


def test_sequences_200_deep(tmp_path: Path) -> None:
    inner = Dataset()
    inner.PatientID = "deep"
    for _ in range(200):
        outer = Dataset()
        outer.add_new(0x00081140, "SQ", Sequence([inner]))
        inner = outer
    dataset = make_dataset(make_pixels(), 12)
    dataset.add_new(0x00081140, "SQ", Sequence([inner]))
    path = tmp_path / "a.dcm"
    path.write_bytes(file_bytes(dataset))
    try:
        read_mammogram(path)
    except ReadError as error:
        check_sentence(error)


@pytest.mark.parametrize("depth", [200, 5000])
def test_sequences_of_undefined_length_without_end(depth: int, tmp_path: Path) -> None:
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path = tmp_path / "a.dcm"
    path.write_bytes(file_bytes(Dataset()) + opening * depth)
    with pytest.raises(ReadError) as told:
        open_whole(path)
    check_sentence(told.value)


def test_a_short_lut_and_a_window_without_width_are_left_out_and_said(tmp_path: Path) -> None:
    lut = Dataset()
    lut.LUTDescriptor = [4096, 0, 16]
    lut.add_new((0x0028, 0x3006), "OW", np.arange(100, dtype="<u2").tobytes())
    path = make_dicom(
        tmp_path / "a.dcm", VOILUTSequence=[lut], WindowCenter="2000", WindowWidth="0"
    )
    mammogram = read_mammogram(path)
    assert mammogram.alarms
    assert np.array_equal(open_whole(path), make_pixels())


def test_a_folder_with_bad_files_opens_the_others(tmp_path: Path) -> None:
    good = make_dicom(tmp_path / "good.dcm")
    (tmp_path / "broken.dcm").write_bytes(good.read_bytes()[:400])
    (tmp_path / "text.dcm").write_text("no image at all")
    make_dicom(tmp_path / "huge.dcm", Rows=65535, Columns=65535)
    found = find_images([tmp_path])
    assert [image.path.name for image in found.images] == ["good.dcm"]
    reasons = {path.name: error for path, error in found.refused}
    assert set(reasons) == {"broken.dcm", "text.dcm", "huge.dcm"}
    for error in reasons.values():
        check_sentence(error)


def check_sentence(error: MammoError) -> None:
    text = str(error)
    assert text
    assert text[0].isalnum()
    assert text.endswith((".", "!"))
    assert "{" not in text
    assert "Traceback" not in text


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """One of the ways in which a file goes bad."""
    content = bytearray(whole)
    kind = rng.integers(4)
    if kind == 0:
        for place in rng.integers(128, len(content), rng.integers(1, 20)):
            content[place] = rng.integers(256)
    elif kind == 1:
        del content[int(rng.integers(128, len(content))) :]
    elif kind == 2:
        start = int(rng.integers(128, len(content)))
        content[start : start + int(rng.integers(1, 64))] = rng.bytes(int(rng.integers(0, 64)))
    else:
        start = int(rng.integers(128, len(content) - 4))
        content[start : start + 4] = b"\xff\xff\xff\x7f"
    return bytes(content)


def fuzz(path: Path, whole: bytes, rounds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        path.write_bytes(damaged(whole, rng))
        try:
            open_whole(path)
        except ReadError as error:
            check_sentence(error)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("syntax", FUZZED)
def test_any_damage_ends_in_a_picture_or_a_sentence(
    syntax: str | TransferSyntax, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = _whole(syntax, tmp_path)
    fuzz(tmp_path / "a.dcm", whole, 40, 1)
    caplog.clear()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_any_damage_of_a_film_ends_in_a_picture_or_a_sentence(
    ending: str, tmp_path: Path
) -> None:
    whole = tmp_path / f"whole.{ending}"
    Image.fromarray(make_pixels(8, 120, 90)).save(whole)
    fuzz(tmp_path / f"a.{ending}", whole.read_bytes(), 60, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("syntax", FUZZED)
def test_much_damage_ends_in_a_picture_or_a_sentence(
    syntax: str | TransferSyntax, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fuzz(tmp_path / "a.dcm", _whole(syntax, tmp_path), 3000, 2)
    caplog.clear()


def jpeg_12(frame: NDArray[np.generic]) -> bytes:
    return bytes(imagecodecs.jpeg_encode(frame, level=90, bitspersample=12))


def _whole(syntax: str | TransferSyntax, folder: Path) -> bytes:
    path = folder / "whole.dcm"
    if syntax == dicom.JPEG_EXTENDED:
        return make_dicom(path, syntax=syntax, encode=jpeg_12).read_bytes()
    if isinstance(syntax, TransferSyntax):
        return compressed_file(path, syntax).read_bytes()
    return make_dicom(path, syntax=syntax).read_bytes()


def test_the_damage_is_real() -> None:
    """A fuzz that changed nothing would prove nothing."""
    whole = bytes(2000)
    rng = np.random.default_rng(0)
    assert sum(damaged(whole, rng) != whole for _ in range(50)) > 40
    assert io.BytesIO(whole).read() == whole
