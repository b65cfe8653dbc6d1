"""Tables that the program writes for a training: a generation's kept part, a mended copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.audit.leaks import leak_checks
from ml.audit.report import Verdict
from ml.hashed import name_sha256, own_patient
from ml.mammo.geometry import Box
from ml.manifest import (
    HOST_PATIENT,
    BoxRow,
    Label,
    Manifest,
    ManifestRow,
    Source,
    Split,
    read_manifest,
    write_manifest,
)
from ml.train.order import TrainingOrder
from tests.factories.queues import make_row
from tests.factories.studios import put_image
from viewer.core.retraining import HELPS_FOLDER, Made
from viewer.jobs import retrain_tables, retrained
from viewer.jobs.generated import write_not_kept
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from pathlib import Path


def generation(folder: Path, count: int) -> Path:
    """A finished one: every second image has a lesion."""
    for number in range(1, count + 1):
        put_image(folder, f"{number:05}")
    names = [f"{number:05}.dcm" for number in range(1, count + 1)]
    rows = tuple(
        ManifestRow(name, f"S-{name}", source=Source.GENERATED, split=Split.TRAIN)
        for name in names
    )
    boxes = tuple(BoxRow(name, Box(1, 2, 3, 4)) for name in names[::2])
    write_manifest(Manifest(folder, rows, boxes))
    return folder


def test_finished_generations_are_offered_with_what_is_kept(tmp_path: Path) -> None:
    whole, some = generation(tmp_path / "whole", 4), generation(tmp_path / "some", 4)
    write_not_kept(some, ["00001.dcm"])
    done = {"kind": "generate", "state": JobState.DONE}
    rows = (
        make_row(1, title="First", spec={"out": str(whole)}, **done),
        make_row(2, title="Second", spec={"out": str(some)}, **done),
        make_row(3, title="Away", spec={"out": str(tmp_path / "away")}, **done),
        make_row(4, title="At work", kind="generate", spec={"out": str(whole)}),
        make_row(5, title="Other", kind="train", state=JobState.DONE, spec={"out": str(whole)}),
    )
    second, first = retrain_tables.finished(rows)
    assert first == Made("First", str(whole), 4, 2)
    assert second == Made("Second", str(some), 3, 1)
    assert second.words == "Second · 3 images, 1 of them with a lesion"


def test_what_is_not_kept_is_not_added(tmp_path: Path) -> None:
    folder, place = generation(tmp_path / "made", 4), tmp_path / "kept"
    assert retrain_tables.kept_of(folder, place) == folder
    before = (folder / "manifest.csv").read_bytes()
    write_not_kept(folder, ["00001.dcm", "00002.dcm"])
    kept = retrain_tables.kept_of(folder, place)
    assert kept == place / "made"
    known = read_manifest(kept)
    assert [known.file_of(row) for row in known.rows] == [
        folder / "00003.dcm",
        folder / "00004.dcm",
    ]
    assert [box.path for box in known.boxes] == ["00003.dcm"]
    assert (folder / "manifest.csv").read_bytes() == before


def test_a_mended_copy_has_each_patient_once_and_tests_on_nothing_generated(
    tmp_path: Path,
) -> None:
    real, made = {"source": Source.REAL, "label": Label.NORMAL}, {"source": Source.GENERATED}
    rows = (
        ManifestRow("a1.dcm", "A", split=Split.TRAIN, **real),
        ManifestRow("a2.dcm", "A", split=Split.TEST, **real),
        ManifestRow("a3.dcm", "A", **real),
        ManifestRow("b1.dcm", "B", split=Split.VALIDATION, **real),
        ManifestRow("c1.dcm", "C", split=Split.TRAIN, **real),
        ManifestRow("d1.dcm", "D", **real),
        ManifestRow("s1.dcm", "S", split=Split.TEST, **made),
        ManifestRow("s2.dcm", "A", split=Split.TRAIN, **made),
        ManifestRow("s3.dcm", "S3", extra={HOST_PATIENT: name_sha256("B")}, **made),
        ManifestRow("s4.dcm", "S4", extra={HOST_PATIENT: name_sha256("C")}, **made),
        ManifestRow("b2.dcm", own_patient("B"), split=Split.TRAIN, **real),
    )
    data = tmp_path / "data"
    data.mkdir()
    boxes = tuple(BoxRow(name, Box(1, 2, 3, 4)) for name in ("a1.dcm", "s2.dcm"))
    write_manifest(Manifest(data, rows, boxes))
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    order = TrainingOrder(str(data), str(tmp_path / "run"), "detector", override="Only tried.")
    run = retrained.begin(order, [data])
    (run.folder / retrained.AUDIT).write_text("{}")
    mended = retrain_tables.mend(run)
    known = read_manifest(run.folder / retrain_tables.MENDED)
    assert {row.path: row.split for row in known.rows} == {
        "a1.dcm": Split.TEST,
        "a2.dcm": Split.TEST,
        "a3.dcm": Split.TEST,
        "b1.dcm": Split.VALIDATION,
        "c1.dcm": Split.TRAIN,
        "d1.dcm": None,
        "s1.dcm": Split.TRAIN,
        "s4.dcm": Split.TRAIN,
        "b2.dcm": Split.VALIDATION,
    }
    assert not [one for one in leak_checks(known.rows, {}) if one.verdict is Verdict.RED]
    assert known.file_of(known.rows[0]) == data / "a1.dcm"
    assert [box.path for box in known.boxes] == ["a1.dcm"]
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert (mended.moved, mended.left_out) == (5, 2)
    assert "5 images are for another purpose now, 2 images are left out" in mended.sentence
    again = retrained.read_run(run.folder)
    assert again.order.manifest == str(run.folder / retrain_tables.MENDED)
    assert again.order.override == ""
    assert again.audit is None
    # What was found with the tables of before is no answer of the mended ones.
    (run.folder / HELPS_FOLDER).mkdir()
    retrain_tables.mend(again)
    assert not (run.folder / HELPS_FOLDER).exists()
    assert (run.folder / f"{HELPS_FOLDER}-1").is_dir()
    # What is mended stays as it is.
    assert retrain_tables.mend(again).moved == 0
