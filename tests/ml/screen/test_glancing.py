"""What a file is, by a few attributes of its header."""

from __future__ import annotations

import gc
import os
import random
import re
import zipfile
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from ml.errors import NotDicomError, NotMammographyError, ReadError
from ml.mammo.read import NEEDED, read_mammogram
from ml.mammo.study import group_studies, study_key
from ml.screen.glancing import LONGEST_KEY, LONGEST_UID, glance, key_of
from ml.screen.places import Place
from ml.screen.rows import Entry, Heading, Standing
from tests.factories import dicom
from tests.factories.dicom import make_dicom, make_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.mammogram import Mammogram

CT = "1.2.840.10008.5.1.4.1.1.2"
SYNTHETIC = {(0x0008, 0x001C): ("CS", "YES")}


def glanced(path: Path, pattern: str = "", member: str = "") -> Heading:
    return glance(Entry(str(Place(path, member)), 1, 1), pattern)


def agrees(heading: Heading, image: Mammogram) -> None:
    """What a glance and a reading say of the same file is the same."""
    assert heading.standing is Standing.IMAGE
    assert heading.sentence == ""
    assert (heading.sop_instance_uid, heading.synthetic) == image.key
    assert heading.study_instance_uid == image.study_instance_uid
    assert heading.patient_id == image.patient.patient_id
    assert (heading.rows, heading.columns) == (image.rows, image.columns)
    assert heading.frames == image.frames
    assert heading.study_date == image.study_date


@pytest.mark.parametrize(
    "header",
    [
        {"StudyDate": "20260101"},
        {"SOPClassUID": dicom.MG_RAW, "PresentationIntentType": "FOR PROCESSING"},
        {
            "SOPClassUID": dicom.SECONDARY_CAPTURE,
            "Modality": "OT",
            "BodyPartExamined": "Breast",
        },
        {"SOPClassUID": dicom.SECONDARY_CAPTURE, "Modality": "MG"},
        {"PatientID": "ü", "SpecificCharacterSet": "ISO_IR 192"},
        {"PatientID": "\u0417", "SpecificCharacterSet": "ISO_IR 144"},
        {"PatientID": ["A", "B"], "StudyInstanceUID": ["1.2.3", "1.2.4"]},
        {"PatientID": None, "StudyDate": None, "Modality": None},
        {"PatientName": "Synthetic^Phantom"},
        {"SOPInstanceUID": " 1.2.9 "},
        {"Rows": 48, "Columns": 40, "NumberOfFrames": 1},
        {"NumberOfFrames": None},
    ],
)
@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.IMPLICIT, dicom.BIG, dicom.DEFLATED])
def test_a_mammogram_is_an_image(header: dict[str, Any], syntax: str, tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", syntax=syntax, **header)
    agrees(glanced(path), read_mammogram(path))


def test_tomosynthesis_is_one_image_of_many_frames(tmp_path: Path) -> None:
    path = make_dicom(
        tmp_path / "a.dcm",
        np.stack([make_pixels(seed=frame) for frame in range(5)]),
        SOPClassUID=dicom.TOMOSYNTHESIS,
    )
    heading = glanced(path)
    agrees(heading, read_mammogram(path))
    assert heading.frames == 5


@pytest.mark.parametrize("syntax", [dicom.LITTLE, dicom.IMPLICIT])
@pytest.mark.parametrize("value", ["YES", "yes ", "NO", ""])
def test_the_synthetic_flag_is_seen(value: str, syntax: str, tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", syntax=syntax, tags={(0x0008, 0x001C): ("CS", value)})
    heading = glanced(path)
    agrees(heading, read_mammogram(path))
    if syntax == dicom.LITTLE:
        assert heading.synthetic == (value.strip().upper() == "YES")


def test_a_name_that_says_synthetic_is_seen(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", PatientName="SYNTHETIC^Woman")
    heading = glanced(path)
    assert heading.synthetic
    assert heading.study_key != glanced(make_dicom(tmp_path / "b.dcm")).study_key


@pytest.mark.parametrize(
    "header",
    [
        {"SOPClassUID": CT, "Modality": "CT"},
        {"SOPClassUID": dicom.SECONDARY_CAPTURE, "Modality": "OT"},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
    ],
)
def test_what_is_no_mammogram_is_something_else(header: dict[str, Any], tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", **header)
    with pytest.raises(NotMammographyError) as told:
        read_mammogram(path)
    heading = glanced(path)
    assert (heading.standing, heading.sentence) == (Standing.OTHER, str(told.value))


@pytest.mark.parametrize("name", ["readme.txt", "autorun.exe", "list.csv", "DICOMDIR.bak"])
def test_what_lies_beside_images_is_passed_over_quietly(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no image")
    heading = glanced(tmp_path / name)
    assert heading.standing is Standing.OTHER
    assert heading.sentence.startswith("No image")


@pytest.mark.parametrize("name", ["a.dcm", "IMG00001", "1.2.840.4"])
@pytest.mark.parametrize("content", [b"", bytes(5000), b"no image"])
def test_what_should_be_an_image_and_is_none_is_told(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotDicomError) as told:
        read_mammogram(tmp_path / name)
    heading = glanced(tmp_path / name)
    assert (heading.standing, heading.sentence) == (Standing.DAMAGED, str(told.value))


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID"])
def test_an_image_without_identity_is_damaged(keyword: str, tmp_path: Path) -> None:
    for value in (None, "1" * (LONGEST_UID + 1)):
        heading = glanced(make_dicom(tmp_path / "a.dcm", **{keyword: value}))
        assert heading.standing is Standing.DAMAGED
        assert keyword in heading.sentence


def test_a_header_that_makes_no_sense_is_damaged(tmp_path: Path) -> None:
    path = make_dicom(tmp_path / "a.dcm", PatientID="TEST")
    whole = path.read_bytes()
    senseless = whole.replace(b"LO\x04\x00TEST", b"FD\x04\x00TEST")
    assert senseless != whole
    for content in (senseless, whole[: whole.index(b"\x20\x00\x0d\x00UI") + 5]):
        path.write_bytes(content)
        heading = glanced(path)
        assert heading.standing is Standing.DAMAGED
        assert re.match(r"a\.dcm (is damaged|lacks StudyInstanceUID)", heading.sentence)


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("NumberOfFrames", "99999999999999999999", (1 << 31) - 1),
        ("NumberOfFrames", "-5", 1),
        ("Rows", "1e300", (1 << 31) - 1),
        ("Columns", "-7", 0),
    ],
)
def test_a_number_is_one_that_a_database_takes(
    keyword: str, value: str, expected: int, tmp_path: Path
) -> None:
    tag = {"NumberOfFrames": 0x0008, "Rows": 0x0010, "Columns": 0x0011}[keyword]
    path = make_dicom(
        tmp_path / "a.dcm",
        pixel_data=b"\0\0",
        **{keyword: None},
        tags={(0x0028, tag): ("LO", value)},
    )
    heading = glanced(path)
    assert heading.standing is Standing.IMAGE
    found = {"NumberOfFrames": heading.frames, "Rows": heading.rows, "Columns": heading.columns}
    assert found[keyword] == expected


def test_a_picture_is_a_film(tmp_path: Path) -> None:
    path = tmp_path / "RCC.png"
    cv2.imwrite(str(path), make_pixels(8, 64, 48))
    heading = glanced(path)
    agrees(heading, read_mammogram(path))
    assert heading.sop_instance_uid.startswith("2.25.")
    copy = tmp_path / "other.png"
    copy.write_bytes(path.read_bytes())
    assert glanced(copy).sop_instance_uid == heading.sop_instance_uid
    assert glanced(copy).study_key == heading.study_key


@pytest.mark.parametrize("content", [b"", b"no picture", "cut"])
def test_a_picture_that_is_none_is_damaged_and_no_fault_of_the_disk(
    content: bytes | str, tmp_path: Path
) -> None:
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), make_pixels(8, 64, 48))
    path.write_bytes(path.read_bytes()[:300] if isinstance(content, str) else content)
    heading = glanced(path)
    assert heading.standing is Standing.DAMAGED
    assert "film.png is damaged or no image" in heading.sentence
    # What was left open is told here, and not in whatever test comes next.
    gc.collect()


def test_a_colour_picture_is_something_else(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), colours)
    heading = glanced(tmp_path / "photo.png")
    assert heading.standing is Standing.OTHER
    assert "colour" in heading.sentence


def test_a_file_that_is_gone_is_the_disks_matter(tmp_path: Path) -> None:
    for name in ("none.dcm", "none.png"):
        with pytest.raises(FileNotFoundError):
            glanced(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        glanced(tmp_path / "none.zip", member="a.dcm")


def test_members_of_an_archive_are_what_they_would_be_outside(tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", SOPInstanceUID="1.2.77")
    film = tmp_path / "RCC.png"
    cv2.imwrite(str(film), make_pixels(8, 64, 48))
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(zipfile.ZipInfo("in/../side/a"), file.read_bytes())
        packed.write(film, "f/RCC.png")
        packed.writestr("t/readme.txt", b"no image")
        packed.writestr("t/empty.dcm", b"")
        packed.writestr("t/more.zip", archive.name)
    agrees(glanced(archive, member="in/../side/a"), read_mammogram(file))
    agrees(glanced(archive, member="f/RCC.png"), read_mammogram(film))
    assert glanced(archive, member="t/readme.txt").standing is Standing.OTHER
    empty = glanced(archive, member="t/empty.dcm")
    assert (empty.standing, "empty.dcm" in empty.sentence) == (Standing.DAMAGED, True)
    nested = glanced(archive, member="t/more.zip")
    assert (nested.standing, "archive within" in nested.sentence) == (Standing.DAMAGED, True)
    missing = glanced(archive, member="none")
    assert (missing.standing, "taken out" in missing.sentence) == (Standing.DAMAGED, True)


UIDS = ("1.2.3", "1.2.3 ", "1.2.30", ["1.2.3", "1.2.4"], "1.2\n3", "1.2", "a\\nb")
PATIENTS = (
    None,
    "",
    "P_001",
    "P_001 ",
    "p_001",
    "P_002",
    "3\nP_001",
    "ü",
    "\\n",
    ["P_001", "x"],
)
NAMES = ("Test^Woman", "SYNTHETIC^Generated")


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory: pytest.TempPathFactory) -> list[Mammogram]:
    """Images of all these studies and patients."""
    folder, pixels = tmp_path_factory.mktemp("odd"), make_pixels(rows=8, columns=8)
    files = (
        make_dicom(
            folder / f"{number}.dcm",
            pixels,
            SOPInstanceUID=f"1.2.{number}",
            StudyInstanceUID=uid,
            PatientID=patient,
            PatientName=name,
            SpecificCharacterSet="ISO_IR 192",
        )
        for number, (uid, patient, name) in enumerate(product(UIDS, PATIENTS, NAMES))
    )
    return [read_mammogram(file) for file in files]


@pytest.mark.parametrize("pattern", ["", r"P_\d+", r"(?:P_(\d))?", "(x)|P"])
def test_images_share_a_study_where_the_viewer_hangs_them_together(
    pattern: str, oddly_named: list[Mammogram]
) -> None:
    by_key: dict[str, set[str]] = {}
    for image in oddly_named:
        heading = glanced(image.path, pattern)
        agrees(heading, image)
        by_key.setdefault(heading.study_key, set()).add(heading.sop_instance_uid)
    hung = [
        {image.sop_instance_uid for image in study.images}
        for study in group_studies(oddly_named, patient_pattern=pattern)
    ]
    assert sorted(map(sorted, by_key.values())) == sorted(map(sorted, hung))
    assert 1 < len(hung) < len(oddly_named)


def test_a_key_is_one_that_a_database_takes() -> None:
    long = [key_of("1.2", f"{'x' * 5000}{end}", "", synthetic=False) for end in "ab"]
    assert {len(key) for key in long} == {LONGEST_KEY}
    assert long[0] != long[1]
    assert long[0] == key_of("1.2", f"{'x' * 5000}a", "", synthetic=False)


def test_different_studies_have_different_keys() -> None:
    parts = ("", "a", "\n", "\\", "n", "\\n", "a\n", "\na")
    keys: dict[tuple[str, ...], str] = {}
    for study, patient in product(parts, parts):
        whole = study_key(study, patient, synthetic=False)
        keys[whole] = key_of(study, patient, "", synthetic=False)
    assert all(keys[one] != keys[other] for one, other in combinations(keys, 2))


def oddly_headed(path: Path, chance: random.Random) -> Path:
    """Some attributes gone, empty, doubled, too long or of the wrong kind."""
    header: dict[str, Any] = {}
    tags: dict[tuple[int, int], tuple[str, Any]] = {}
    for keyword in ("PatientID", "StudyDate", "Modality", "SOPClassUID", *NEEDED):
        if chance.random() < 0.15:
            header[keyword] = None
    for group, element in (
        (0x0008, 0x0018),
        (0x0020, 0x000D),
        (0x0010, 0x0020),
        (0x0028, 0x0008),
    ):
        if chance.random() < 0.15:
            odd = chance.choice(("A\\B", "x" * 70, "1.2.\0", "0", "1e5", "\\A", " A "))
            tags[group, element] = ("LO", odd)
    if chance.random() < 0.2:
        tags |= SYNTHETIC
    syntax = chance.choice((dicom.LITTLE, dicom.IMPLICIT, dicom.BIG, dicom.DEFLATED))
    return make_dicom(path, make_pixels(rows=6, columns=6), syntax=syntax, tags=tags, **header)


@pytest.mark.parametrize("seed", range(3))
def test_what_can_be_read_is_headed_alike_whatever_its_header(
    seed: int, tmp_path: Path
) -> None:
    chance, read = random.Random(seed), 0
    for number in range(80):
        path = oddly_headed(tmp_path / f"{number}.dcm", chance)
        heading = glanced(path)
        try:
            image = read_mammogram(path)
        except NotMammographyError:
            # Which of two mistakes is told first may differ.
            assert heading.standing is not Standing.IMAGE
        except ReadError:
            assert heading.standing in (Standing.IMAGE, Standing.DAMAGED)
        else:
            read += 1
            agrees(heading, image)
    assert read > 10


@pytest.mark.filterwarnings("ignore:Expected")
def test_no_bytes_end_a_glance(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = make_dicom(tmp_path / "whole.dcm", make_pixels(rows=8, columns=8)).read_bytes()
    path, chance = tmp_path / "a.dcm", random.Random(7)
    for _ in range(300):
        content = bytearray(whole[: chance.choice((len(whole), chance.randrange(len(whole))))])
        for _ in range(chance.choice((0, 1, 4, 20))):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        heading = glanced(path)
        assert bool(heading.sentence) == (heading.standing is not Standing.IMAGE)
        assert heading.entry.place == os.fspath(path)
    # pydicom says of some that they are written otherwise than they say.
    caplog.clear()
