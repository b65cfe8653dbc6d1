"""Several data sets as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.audit.questions import questions_of
from ml.audit.report import Verdict
from ml.audit.table import column_checks
from ml.cli import main
from ml.errors import DataError
from ml.hashed import own_patient
from ml.mammo.geometry import Box
from ml.manifest import (
    BoxRow,
    Label,
    Manifest,
    ManifestRow,
    ReferenceStandard,
    Split,
    read_manifest,
    write_manifest,
)
from ml.merging import DATA_SET, merge, merged
from ml.splits import split_of

if TYPE_CHECKING:
    from pathlib import Path

BOX = Box(1, 2, 30, 40)


def data_set(folder: Path, *rows: ManifestRow, boxes: tuple[BoxRow, ...] = ()) -> Manifest:
    folder.mkdir(parents=True)
    one = Manifest(folder, rows, boxes)
    write_manifest(one)
    return one


def row(path: str, patient: str = "p1", **values: object) -> ManifestRow:
    return ManifestRow(path, patient, **values)  # type: ignore[arg-type]


def test_every_image_is_where_it_was(tmp_path: Path) -> None:
    data_set(tmp_path / "a", row("x/1.dcm"), boxes=(BoxRow("x/1.dcm", BOX),))
    data_set(tmp_path / "b", row("x/1.dcm", "p2", label=Label.NORMAL, split=Split.TEST))
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "both")
    both = read_manifest(tmp_path / "both")
    assert [both.file_of(one) for one in both.rows] == [
        (tmp_path / name / "x" / "1.dcm").resolve() for name in ("a", "b")
    ]
    first, second = both.rows
    assert first.path != second.path
    assert [one.box for one in both.boxes_of(first.path)] == [BOX]
    assert not both.boxes_of(second.path)
    assert (second.patient_id, second.label, second.split) == ("p2", Label.NORMAL, Split.TEST)
    assert [one.extra[DATA_SET] for one in both.rows] == ["a", "b"]


def test_a_merged_set_that_gets_more_still_tells_its_own_apart(tmp_path: Path) -> None:
    data_set(tmp_path / "a", row("1.dcm"))
    data_set(tmp_path / "b", row("1.dcm", "p2"))
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "data")
    data_set(tmp_path / "c", row("1.dcm", "p3"))
    more = merge([tmp_path / "data", tmp_path / "c"], tmp_path / "more")
    assert [one.extra[DATA_SET] for one in more.rows] == ["a", "b", "c"]
    assert [more.file_of(one) for one in more.rows] == [
        (tmp_path / name / "1.dcm").resolve() for name in "abc"
    ]


def test_sets_of_one_name_stay_apart(tmp_path: Path) -> None:
    sets = [data_set(tmp_path / place / "data", row("1.dcm")) for place in ("a", "b", "c")]
    names = [one.extra[DATA_SET] for one in merged(sets, tmp_path).rows]
    assert len(set(names)) == 3


@pytest.mark.parametrize("turned", [False, True])
def test_an_image_that_two_sets_name_is_one_image_of_the_surer_label(
    tmp_path: Path, turned: bool
) -> None:
    proven = data_set(
        tmp_path / "proven",
        row("1.dcm", label=Label.BENIGN, reference_standard=ReferenceStandard.PATHOLOGY),
        boxes=(BoxRow("1.dcm", BOX, label=Label.BENIGN),),
    )
    place = str((tmp_path / "proven" / "1.dcm").resolve())
    read = Manifest(
        tmp_path / "read",
        (row("1.2.3", file=place, reference_standard=ReferenceStandard.READER),),
        (BoxRow("1.2.3", Box(5, 5, 9, 9)),),
        (BoxRow("1.2.3", Box(50, 50, 60, 60)),),
    )
    both = merged([read, proven] if turned else [proven, read], tmp_path)
    (only,) = both.rows
    assert only.label is Label.BENIGN
    assert [one.box for one in both.boxes] == [BOX]
    assert [one.box for one in both.hard_of(only.path)] == [Box(50, 50, 60, 60)]


def test_a_label_that_goes_with_the_data_set_is_seen(tmp_path: Path) -> None:
    ill = [row(f"{n}.dcm", f"a{n}", label=Label.MALIGNANT) for n in range(30)]
    well = [row(f"{n}.dcm", f"b{n}", label=Label.NORMAL) for n in range(30)]
    sets = [data_set(tmp_path / "a", *ill), data_set(tmp_path / "b", *well)]
    question, *_ = questions_of(merged(sets, tmp_path / "both"))
    told = [c for c in column_checks(question, {}) if c.verdict is Verdict.RED]
    assert any(DATA_SET in f"{check.name} {check.reason}" for check in told)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    data_set(tmp_path / "a", row("1.dcm"))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        merge([tmp_path / "a"], tmp_path / "file" / "both")


def test_the_command_says_where_and_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        data_set(tmp_path / name, row("1.dcm", name))
    places = [str(tmp_path / name) for name in ("a", "b")]
    assert main(["merge-datasets", *places, "--out", str(tmp_path / "both")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'both'}\t2\n"
    assert len(read_manifest(tmp_path / "both").rows) == 2


def test_who_is_held_out_in_one_set_is_taught_in_none(tmp_path: Path) -> None:
    frozen = data_set(tmp_path / "frozen", row("1.dcm", own_patient("7"), split=Split.TEST))
    other = data_set(
        tmp_path / "other",
        row("2.dcm", "7", split=Split.TRAIN),
        row("3.dcm", "8", split=Split.TRAIN),
        row("4.dcm", "7"),
        row("5.dcm", "7", reference_standard=ReferenceStandard.READER),
        boxes=(BoxRow("2.dcm", BOX), BoxRow("3.dcm", BOX)),
    )
    for sets in ([frozen, other], [other, frozen]):
        both = merged(sets, tmp_path)
        told = {one.path: (one.patient_id, one.split) for one in both.rows}
        assert told == {
            "frozen/1.dcm": (own_patient("7"), Split.TEST),
            "other/3.dcm": ("8", Split.TRAIN),
            "other/4.dcm": (own_patient("7"), Split.TEST),
        }
        assert [box.path for box in both.boxes] == ["other/3.dcm"]


def test_who_is_taught_in_one_set_is_not_tested_by_her_hash(tmp_path: Path) -> None:
    by_hash = next(name for n in range(99) if split_of(row("1", name := f"p{n}")) is Split.TEST)
    plain = data_set(tmp_path / "plain", row("1.dcm", by_hash))
    read = data_set(tmp_path / "read", row("2.dcm", by_hash, split=Split.TRAIN))
    rows = merged([plain, read], tmp_path).rows
    assert [one.split for one in rows] == [Split.TRAIN, Split.TRAIN]
    assert [one.split for one in merged([plain], tmp_path).rows] == [None]


def test_an_image_that_a_set_tests_on_stays_its_test_in_a_surer_ones_words(
    tmp_path: Path,
) -> None:
    frozen = data_set(tmp_path / "frozen", row("1.dcm", split=Split.TEST))
    place = str((tmp_path / "frozen" / "1.dcm").resolve())
    surer = Manifest(
        tmp_path / "read",
        (row("1.2.3", file=place, reference_standard=ReferenceStandard.PATHOLOGY),),
        (),
    )
    (only,) = merged([frozen, surer], tmp_path).rows
    assert (only.reference_standard, only.split) == (ReferenceStandard.PATHOLOGY, Split.TEST)


def test_what_one_set_says_of_a_patient_twice_is_left_for_the_audit(tmp_path: Path) -> None:
    torn = data_set(
        tmp_path / "torn", row("1.dcm", split=Split.TEST), row("2.dcm", split=Split.TRAIN)
    )
    more = data_set(tmp_path / "more", row("3.dcm", split=Split.TRAIN))
    told = {one.path: one.split for one in merged([torn, more], tmp_path).rows}
    assert told == {"torn/1.dcm": Split.TEST, "torn/2.dcm": Split.TRAIN}
