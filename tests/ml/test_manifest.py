"""What is written is read back, and every way to get a table wrong names its line."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.manifest import (
    BOXES,
    COLUMNS,
    HARD,
    MANIFEST,
    BoxRow,
    Label,
    Manifest,
    ManifestRow,
    ReferenceStandard,
    Source,
    Split,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

FULL = ManifestRow(
    path="women/0001/R CC.dcm",
    patient_id="0001",
    laterality=Laterality.RIGHT,
    view=ViewPosition.CC,
    label=Label.MALIGNANT,
    source=Source.PHANTOM,
    split=Split.VALIDATION,
    density=BreastDensity.C,
    reference_standard=ReferenceStandard.SIMULATION,
    extra={"vendor": 'Größe, "A"', "seed": "007"},
)
BOX = BoxRow(
    path=FULL.path,
    box=Box(1.5, 2.0, 30.25, 0.1 + 0.2 + 40),
    finding_type=FindingType.MASS,
    label=Label.MALIGNANT,
    frame=3,
    extra={"contrast": "0.25"},
)


def table(folder: Path, text: str, boxes: str | None = None) -> Path:
    (folder / MANIFEST).write_text(text, "utf-8")
    if boxes is not None:
        (folder / BOXES).write_text(boxes, "utf-8")
    return folder


def test_everything_comes_back(tmp_path: Path) -> None:
    bare = ManifestRow("b.png", "2")
    made = Manifest(tmp_path, (FULL, bare), (BOX, BoxRow("b.png", Box(0, 0, 1, 1))))
    write_manifest(made)
    assert read_manifest(tmp_path) == made
    assert read_manifest(tmp_path / MANIFEST) == made
    assert made.boxes_of("b.png") == (made.boxes[1],)
    assert made.boxes_of("c.png") == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == [BOXES, MANIFEST]


def test_images_may_lie_elsewhere_and_places_may_be_no_lesion(tmp_path: Path) -> None:
    lies = tmp_path / "archive" / "a.dcm"
    elsewhere = ManifestRow("1.2.3.dcm", "1", file=str(lies))
    here = ManifestRow("b.png", "1")
    hard = BoxRow("1.2.3.dcm", Box(1, 2, 3, 4), FindingType.MASS, extra={"score": "0.5"})
    made = Manifest(tmp_path, (elsewhere, here), (), (hard,))
    write_manifest(made)
    assert read_manifest(tmp_path) == made
    assert made.file_of(elsewhere) == lies
    assert made.file_of(here) == tmp_path / "b.png"
    assert made.hard_of("1.2.3.dcm") == (hard,)
    assert made.hard_of("b.png") == made.boxes_of("1.2.3.dcm") == ()
    assert (tmp_path / MANIFEST).read_text("utf-8").startswith(",".join(COLUMNS))
    write_manifest(Manifest(tmp_path, (here,)))
    assert not (tmp_path / HARD).exists(), "none are left"
    assert "file" not in (tmp_path / MANIFEST).read_text("utf-8").splitlines()[0]


def test_a_file_elsewhere_is_named_in_whole(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: file is a/b\.dcm; it must be a whole path"):
        read_manifest(table(tmp_path, "path,patient_id,file\na.png,1,a/b.dcm\n"))


def test_the_columns_are_the_fields() -> None:
    assert [*COLUMNS, "extra"] == [field.name for field in fields(ManifestRow)]


def test_without_boxes(tmp_path: Path) -> None:
    manifest = read_manifest(table(tmp_path, "path,patient_id\na.png,1\n"))
    assert manifest == Manifest(tmp_path, (ManifestRow("a.png", "1"),))


def test_what_a_spreadsheet_saves(tmp_path: Path) -> None:
    """A byte order mark, other line ends, columns in another order, spaces, blank lines."""
    text = "\ufeffview, note,patient_id,path\r\nCC,  ,1 , a.png\r\n\r\n"
    manifest = read_manifest(table(tmp_path, text))
    assert manifest.rows == (ManifestRow("a.png", "1", view=ViewPosition.CC),)


numbers = st.floats(-1e6, 1e6, allow_nan=False, width=64)
words = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(numbers, numbers, st.floats(1e-3, 1e6), st.floats(1e-3, 1e6), words, words)
def test_numbers_and_words_are_not_changed_by_a_trip(
    row: float, column: float, height: float, width: float, patient: str, note: str
) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as name:
        made = Manifest(
            Path(name),
            (ManifestRow("a.png", patient, extra={"note": note}),),
            (BoxRow("a.png", Box(row, column, row + height, column + width)),),
        )
        write_manifest(made)
        assert read_manifest(Path(name)) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the column path, patient_id"),
        ("path\na.png\n", "lacks the column patient_id"),
        ("path,patient_id\na.png,\n", "line 2: patient_id is empty"),
        ("path,patient_id\na.png,1\n,1\n", "line 3: the path '' must be relative"),
        ("path,patient_id\n/etc/x,1\n", "line 2: the path /etc/x must be relative"),
        ("path,patient_id\nC:/x,1\n", "must be relative"),
        ("path,patient_id\na/../../x,1\n", "must be relative"),
        ("path,patient_id\na\\b,1\n", "must be relative"),
        ("path,patient_id\na,1,2\n", "line 2: more values than columns"),
        ("path,patient_id\na,1\na,2\n", "names a twice"),
        ("path,patient_id,view\na,1,XX\n", "line 2: view is XX; it must be one of: CC, MLO"),
        ("path,patient_id,laterality\na,1,X\n", "line 2: laterality is X"),
        ("path,patient_id,label\na,1,cancer\n", "label is cancer"),
        ("path,patient_id,split\na,1,dev\n", "split is dev"),
        ("path,patient_id,density\na,1,E\n", "density is E"),
        ("path,patient_id,source\na,1,web\n", "source is web"),
        ("path,patient_id,reference_standard\na,1,guess\n", "reference_standard is guess"),
    ],
)
def test_wrong_tables(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        read_manifest(table(tmp_path, text))
    assert said in str(told.value)
    assert MANIFEST in str(told.value)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("b,,0,0,1,1", "b is not in the manifest"),
        ("a,,0,0,1,", "col1 is ''; it must be a number"),
        ("a,,0,0,1,wide", "col1 is wide"),
        ("a,,0,0,nan,1", "row1 is nan"),
        ("a,,0,0,inf,1", "row1 is inf"),
        ("a,,5,0,5,1", "ends before it begins"),
        ("a,,0,3,1,2", "ends before it begins"),
        ("a,0,0,0,1,1", "frame is 0; frames count from 1"),
        ("a,x,0,0,1,1", "frame is x"),
    ],
)
def test_wrong_boxes(cells: str, said: str, tmp_path: Path) -> None:
    boxes = f"path,frame,row0,col0,row1,col1\n{cells}\n"
    with pytest.raises(DataError) as told:
        read_manifest(table(tmp_path, "path,patient_id\na,1\n", boxes))
    assert f"{BOXES}, line 2" in str(told.value)
    assert said in str(told.value)


def test_a_table_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no manifest\.csv"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_bytes("path,patient_id\nGröße,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_bytes(b"path,patient_id\na\0b,1\n")
    with pytest.raises(DataError):
        read_manifest(tmp_path)


@pytest.mark.parametrize("value", ["9" * 200_000, '"1\nb,2', '"1"x'])
def test_what_is_no_csv(value: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no CSV table"):
        read_manifest(table(tmp_path, f"path,patient_id\na,{value}\n"))


def test_an_interrupted_write_leaves_the_old_table(tmp_path: Path) -> None:
    write_manifest(Manifest(tmp_path, (FULL,)))
    before = (tmp_path / MANIFEST).read_bytes()
    broken = ManifestRow("\udcff", "1")
    with pytest.raises(UnicodeEncodeError):
        write_manifest(Manifest(tmp_path, (broken,)))
    assert (tmp_path / MANIFEST).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [BOXES, MANIFEST]
