"""What a retraining leaves on the disk, and how a version is put into use from there."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.errors import DataError, ModelError
from ml.manifest import (
    Label,
    Manifest,
    ManifestRow,
    Source,
    Split,
    read_manifest,
    write_manifest,
)
from ml.registry import BESIDE
from ml.train.order import TrainingOrder
from ml.versions import SHIPPED, Origin, Versions
from tests.factories.packs import make_packs, rewrite_card
from viewer.core import retraining
from viewer.jobs import retrained

ROLE = "detector"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = (
        ManifestRow("a.dcm", "A", label=Label.NORMAL, split=Split.TRAIN),
        ManifestRow("b.dcm", "A", label=Label.BENIGN, split=Split.TRAIN),
        ManifestRow("c.dcm", "B", label=Label.MALIGNANT, split=Split.TEST),
        ManifestRow("d.dcm", "C", source=Source.GENERATED),
    )
    folder = tmp_path / "data"
    folder.mkdir()
    write_manifest(Manifest(folder, rows))
    return folder


@pytest.fixture
def order(tmp_path: Path, data: Path) -> TrainingOrder:
    return TrainingOrder(manifest=str(data), out=str(tmp_path / "runs" / "one"), role=ROLE)


def write_audit(folder: Path, verdict: Verdict) -> None:
    said = Sentence.of("Said.")
    report = AuditReport("data", 4, 3, (Check(said, verdict, said),))
    (folder / retrained.AUDIT).write_text(json.dumps(report.to_json()))


REMARK = "The diagnosis changes with it, too."


def write_comparison(
    folder: Path,
    key: str,
    *,
    promoted: bool,
    live: str = SHIPPED,
    standing: str = "not worse",
) -> None:
    one = {"sentence": "Sensitivity: as good.", "standing": standing}
    reasons = [] if promoted else ["The audit of the training data was not green."]
    decision = {
        "promoted": promoted,
        "reasons": reasons,
        "uses": 2,
        "compared": [one],
        "remarks": [REMARK],
    }
    beside = dict.fromkeys(BESIDE[ROLE], SHIPPED)
    content = {"role": ROLE, "key": key, "live": live, "beside": beside, "decision": decision}
    (folder / retrained.COMPARISON).write_text(json.dumps(content))


def test_data_are_counted_by_what_they_are_for(data: Path) -> None:
    counted = retrained.count_data([data])
    assert (counted.patients, counted.images, counted.generated) == (3, 4, 1)
    assert counted.parts == ((2, 3, 1), (0, 0, 0), (1, 1, 1))


def test_who_has_no_split_is_counted_where_a_training_takes_her(tmp_path: Path) -> None:
    """P1 is validated and P2 teaches, by a hash of the name."""
    write_manifest(Manifest(tmp_path, tuple(ManifestRow(f"{n}.dcm", f"P{n}") for n in (1, 2))))
    train, validation, test = retrained.count_data([tmp_path]).parts
    assert (train[0], validation[0], test[0]) == (1, 1, 0)


def test_several_sets_are_one_whose_test_part_stays_as_it_is(
    order: TrainingOrder, data: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    row = ManifestRow("e.dcm", "D", label=Label.NORMAL, split=Split.TEST)
    write_manifest(Manifest(other, (row,)))
    counted = retrained.count_data([data, other])
    assert (counted.patients, counted.images) == (4, 5)
    run = retrained.begin(order, [data, other])
    write_manifest(Manifest(other, (row, ManifestRow("f.dcm", "E", split=Split.TEST))))
    again = retrained.read_run(run.folder)
    assert again.order.manifest == str(run.folder / retrained.DATA)
    assert again.counted is not None
    assert again.counted.images == 5
    files = [again_file(run.folder, row) for row in read_manifest(run.folder / "data").rows]
    assert files == [(data / f"{n}.dcm").resolve() for n in "abcd"] + [other / "e.dcm"]


def again_file(folder: Path, row: ManifestRow) -> Path:
    return read_manifest(folder / retrained.DATA).file_of(row)


def test_a_training_is_there_again_with_all_that_came_of_it(order: TrainingOrder) -> None:
    run = retrained.begin(order, [Path(order.manifest)])
    assert run.order == order
    assert run.audit is None
    write_audit(run.folder, Verdict.GREEN)
    line = '{"done": %d, "of": 9, "stage": "detector", "loss": %s}\n'
    torn = line % (1, 0.9) + line % (2, 0.8) + line % (2, 0.7) + '{"done": 3'
    (run.folder / retrained.CURVE).write_text(torn)
    write_comparison(run.folder, "own@1", promoted=True)
    again = retrained.read_run(run.folder)
    assert again.audit is not None
    assert [(p.done, p.loss) for p in again.curve] == [(1, 0.9), (2, 0.7)]
    assert again.comparison is not None
    assert again.comparison.told[0].sign == "green"
    assert retrained.runs_of(run.folder.parent) == (run.folder,)


def test_a_reason_is_kept_until_the_audit_is_made_anew(order: TrainingOrder) -> None:
    run = retrained.begin(order, [Path(order.manifest)])
    write_audit(run.folder, Verdict.RED)
    red = retrained.read_run(run.folder)
    retrained.keep_override(retraining.overridden(red, "Only to try."))
    kept = retrained.read_run(run.folder)
    assert kept.order.override == "Only to try."
    assert kept.audit is not None
    assert kept.audit.override == "Only to try."
    retrained.audit_anew(kept)
    anew = retrained.read_run(run.folder)
    assert anew.audit is None
    assert anew.order.override == ""


def test_a_damaged_order_is_a_sentence(order: TrainingOrder) -> None:
    run = retrained.begin(order, [Path(order.manifest)])
    (run.folder / retrained.ORDER).write_text("{")
    with pytest.raises(DataError, match=r"order.json of the training cannot be read"):
        retrained.read_run(run.folder)


def test_only_what_the_gate_let_through_goes_into_use(
    order: TrainingOrder, tmp_path: Path
) -> None:
    run, own = retrained.begin(order, [Path(order.manifest)]), tmp_path / "models"
    version = Versions(own).add(make_packs(tmp_path / "new")[ROLE], Origin("", "", {}, "green"))
    write_comparison(run.folder, version.key, promoted=False)
    compared = retrained.read_run(run.folder).comparison
    assert compared is not None
    with pytest.raises(ModelError, match="did not let"):
        retrained.promote(own, compared, "Dr. A")
    compared = replace(compared, promoted=True)
    with pytest.raises(ModelError, match="Another model was put into use"):
        retrained.promote(own, replace(compared, live="own@7"), "Dr. A")
    assert compared.beside == {"calcifications": SHIPPED}
    beside = replace(compared, beside={"calcifications": "own-calcifications@1"})
    with pytest.raises(ModelError, match="Another model was put into use"):
        retrained.promote(own, beside, "Dr. A")
    retrained.promote(own, compared, "Dr. A")
    in_use = retrained.models_in_use(own)
    assert in_use.may_go_back == {ROLE}
    assert [line.live for line in in_use.lines if line.role == ROLE] == [False, True]
    with pytest.raises(ModelError, match="Another model is in use by now"):
        retrained.go_back(own, ROLE, SHIPPED, "Dr. A")
    retrained.go_back(own, ROLE, compared.key, "Dr. A")
    assert Versions(own).live(ROLE) == SHIPPED


def live_version(tmp_path: Path, override: str = "") -> tuple[Path, Path]:
    """The folder of one's own models, and that of the version of it that is in use."""
    own = tmp_path / "models"
    versions = Versions(own)
    origin = Origin("", "", {}, "red" if override else "green", override)
    version = versions.add(make_packs(tmp_path / "new")[ROLE], origin)
    versions.promote(ROLE, version.key, "Dr. A", {})
    return own, versions.place(ROLE, version.key)


def line_in_use(own: Path) -> retrained.Line:
    lines = retrained.models_in_use(own).lines
    return next(line for line in lines if line.role == ROLE and line.live)


def test_a_version_is_named_by_its_card_with_every_reason_on_it(tmp_path: Path) -> None:
    own, pack = live_version(tmp_path, "It is tried.")
    rewrite_card(pack, overrides=["The parent was tried.", "It is tried."])
    line = line_in_use(own)
    assert line.overrides == ("It is tried.", "The parent was tried.")
    assert line.problem == ""
    assert retrained.models_in_use(own).names[ROLE] == line.name == "tiny-detector 1"


@pytest.mark.parametrize(
    ("card", "why"), [(None, "not among the versions any more"), ("{", "cannot be read")]
)
def test_versions_are_listed_though_the_one_in_use_is_gone(
    tmp_path: Path, card: str | None, why: str
) -> None:
    own, pack = live_version(tmp_path, "It is tried.")
    if card is None:
        shutil.rmtree(pack)
    else:
        (pack / "card.json").write_text(card)
    in_use = retrained.models_in_use(own)
    line = line_in_use(own)
    assert line.key == pack.name
    assert why in line.problem
    assert line.overrides == ("It is tried.",), "the history has the reason, too"
    assert ROLE not in in_use.names
    assert ROLE in in_use.may_go_back
    retrained.go_back(own, ROLE, line.key, "Dr. A")
    assert line_in_use(own).key == SHIPPED


def test_a_version_in_use_of_which_only_that_is_known_is_listed(tmp_path: Path) -> None:
    own = tmp_path / "models"
    own.mkdir()
    event = {"event": "promoted", "role": ROLE, "key": "own@7"}
    (own / "history.jsonl").write_text(json.dumps(event) + "\n")
    assert "own@7 is not among the versions" in line_in_use(own).problem
