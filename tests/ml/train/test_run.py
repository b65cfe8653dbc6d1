"""No training before its audit: green goes on, red does not but with a reason that stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ml.train.command as command
import ml.train.run as running
from ml.audit.command import tables_of
from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.errors import DataError
from ml.files import write_json
from ml.manifest import Manifest, ManifestRow, write_manifest
from ml.program import code_version
from ml.registry import inherit
from ml.train.beginnings import (
    Beginning,
    beginnings_of,
    noted,
    refuse_changed,
    verdict_of,
)
from ml.train.modes import Teaching
from ml.train.order import PLAN, Mode, TrainingOrder
from tests.factories.packs import make_card
from tests.ml.synth.test_making import Watch

REASON = "Only to see whether the machine runs"


def checked(verdict: Verdict) -> Check:
    reason = Sentence.of("The answer goes with {column}.", column="vendor")
    return Check(Sentence.of("vendor"), verdict, reason, Sentence.of("Share it out."))


@pytest.fixture
def asked(tmp_path: Path) -> TrainingOrder:
    folder = tmp_path / "data"
    folder.mkdir()
    write_manifest(Manifest(folder, (ManifestRow("a.dcm", "woman"),)))
    return TrainingOrder(str(folder), str(tmp_path / "out"), "detector")


class Office:
    """Audits with a verdict that a test sets, and notes what is trained."""

    def __init__(self) -> None:
        self.verdict = Verdict.GREEN
        self.audits = 0
        self.trained: list[dict[str, Any]] = []

    def audit(self, manifest: Manifest, **given: Any) -> AuditReport:
        self.audits += 1
        checks = (checked(self.verdict),)
        return AuditReport("data", len(manifest.rows), 1, checks, given["tables"])

    def main(self, *_: object, **given: Any) -> None:
        self.trained.append(given)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    office = Office()
    monkeypatch.setattr(running, "audit", office.audit)
    monkeypatch.setattr(command, "main", office.main)
    return office


def test_green_goes_on_and_the_report_is_kept(
    office: Office, asked: TrainingOrder, tmp_path: Path
) -> None:
    running.run(asked.to_json(), watch := Watch())
    assert [given["overrides"] for given in office.trained] == [()]
    path = tmp_path / "out" / running.AUDIT
    assert watch.news == [{"audit": str(path)}]
    assert json.loads(path.read_text())["verdict"] == "green"
    # Gone on with, it is not audited again; with other data it is.
    running.run(asked.to_json())
    assert office.audits == 1
    manifest = tmp_path / "data"
    write_manifest(Manifest(manifest, (ManifestRow("b.dcm", "another"),)))
    running.run(asked.to_json())
    assert office.audits == 2


def test_red_stops_with_what_to_do(office: Office, asked: TrainingOrder) -> None:
    office.verdict = Verdict.RED
    with pytest.raises(DataError, match=r"goes with vendor\. Share it out\."):
        running.run(asked.to_json())
    assert not office.trained


def test_a_written_reason_stays_on_the_card_and_its_childrens(
    office: Office, asked: TrainingOrder
) -> None:
    office.verdict = Verdict.RED
    with pytest.raises(DataError, match="in a sentence"):
        running.run(replace(asked, override="because").to_json())
    running.run(replace(asked, override=REASON).to_json())
    (given,) = office.trained
    assert given["overrides"] == (REASON,)
    parent = replace(make_card("detector", {}), overrides=given["overrides"])
    assert inherit(make_card("detector", {}), [parent]).overrides == (REASON,)


def test_a_training_is_as_its_order_says(office: Office, asked: TrainingOrder) -> None:
    running.run(replace(asked, mode=Mode.MIXED.value, dose=0.5, part=0.25).to_json())
    (given,) = office.trained
    assert given["teaching"] == Teaching(Mode.MIXED, 0.5)
    assert given["part"] == 0.25
    running.run(asked.to_json())
    assert office.trained[1]["teaching"] is None


def test_a_reason_that_was_not_needed_leaves_no_stain(
    office: Office, asked: TrainingOrder
) -> None:
    running.run(replace(asked, override=REASON).to_json())
    assert office.trained[0]["overrides"] == ()


def test_a_training_is_told_what_its_audit_says_now(
    office: Office, asked: TrainingOrder
) -> None:
    office.verdict = Verdict.AMBER
    running.run(asked.to_json())
    beginning = office.trained[0]["beginning"]
    assert beginning.verdict == "amber"
    assert beginning.tables == tables_of(Path(asked.manifest))
    assert beginning.code == code_version()


def test_every_beginning_stays_in_the_plan(tmp_path: Path) -> None:
    assert noted(tmp_path, None) == {}
    red, green = Beginning("red", "Only to try."), Beginning("green", tables={"a.csv": "1"})
    for one in (red, green, green, red, None):
        write_json(tmp_path / PLAN, noted(tmp_path, one))
    assert beginnings_of(tmp_path) == (red, green)
    assert verdict_of((red, green)) == verdict_of((green, red)) == "red"
    assert verdict_of(()) == ""


def test_tables_that_changed_under_the_audit_teach_nothing(asked: TrainingOrder) -> None:
    manifest = Path(asked.manifest)
    beginning = Beginning("green", tables=tables_of(manifest))
    refuse_changed(beginning, manifest)
    refuse_changed(None, manifest)
    write_manifest(Manifest(manifest, (ManifestRow("b.dcm", "another"),)))
    with pytest.raises(DataError, match="while they were audited"):
        refuse_changed(beginning, manifest)
