"""No training before its audit: green goes on, red does not but with a reason that stays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import ml.train.command as command
import ml.train.run as running
from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.errors import DataError
from ml.manifest import Manifest, ManifestRow, write_manifest
from ml.registry import inherit
from ml.train.order import TrainingOrder
from tests.factories.packs import make_card
from tests.ml.synth.test_making import Watch

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_reason_that_was_not_needed_leaves_no_stain(
    office: Office, asked: TrainingOrder
) -> None:
    running.run(replace(asked, override=REASON).to_json())
    assert office.trained[0]["overrides"] == ()
