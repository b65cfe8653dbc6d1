"""From a trained pack to the model in use, by commands: added, asked at the gate, gone back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from ml.audit.command import tables_of
from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.evaluate import gate
from ml.evaluate.gate import Compared, Margins, Standing
from ml.in_use import packs_in_use
from ml.manifest import Split, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.train import promotion
from ml.train.order import AUDIT
from ml.versions import SHIPPED, Origin, Versions
from tests.factories.packs import make_packs
from tests.ml.synth.test_making import Watch
from viewer.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "detector"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two women to train, two to test."""
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 4, 4, pixel_mm=0.5)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    rows = tuple(
        replace(row, split=Split.TEST if women.index(row.patient_id) % 2 else Split.TRAIN)
        for row in manifest.rows
    )
    write_manifest(replace(manifest, rows=rows))
    return folder


@pytest.fixture
def versions(home: Path) -> Versions:
    return Versions(home / "models")


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training's folder; the models in use are as small as it is."""
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    monkeypatch.setattr(gate, "DRAWS", 50)
    monkeypatch.setattr(gate, "LEAST_BEYOND", 1)
    small = make_packs(tmp_path / "in-use")
    monkeypatch.setattr(promotion, "packs_in_use", lambda: {**small})
    return make_packs(tmp_path / "trained")[ROLE]


def audited(trained: Path, manifest: Path, verdict: Verdict) -> None:
    words = Sentence.of("Said.")
    checks = (Check(words, verdict, words),)
    report = AuditReport("phantoms", 1, 1, checks, tables_of(manifest))
    (trained / AUDIT).write_text(json.dumps(report.to_json()))


def compared(monkeypatch: pytest.MonkeyPatch, standing: Standing) -> list[int]:
    """Have the comparison end so; the uses that it was told."""
    uses: list[int] = []

    def compare(*given: object) -> tuple[Compared, ...]:
        uses.append(int(str(given[-1])))
        gain = gate.Estimate(0.0, -0.01, 0.01)
        return (Compared("Sensitivity", 0.8, 0.8, gain, 0.05, 50, standing),)

    monkeypatch.setattr(promotion, "compare_packs", compare)
    return uses


def test_a_version_is_added_promoted_and_gone_back_from(
    phantoms: Path,
    trained: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    audited(trained, phantoms, Verdict.GREEN)
    assert main(["models", "add", str(trained), "--manifest", str(phantoms)]) == 0
    (added,) = versions.all(ROLE)
    assert (added.origin.audit, added.origin.override) == ("green", "")
    assert len(added.origin.data_sha256) >= 64
    compared(monkeypatch, Standing.NOT_WORSE)
    asked = ["models", "promote", added.key, "--manifest", str(phantoms), "--who", "Dr Reader"]
    assert main(asked) == 0
    assert "not worse by more than the margin" in capsys.readouterr().out
    assert packs_in_use()[ROLE] == versions.place(ROLE, added.key)
    assert main(["models", "versions"]) == 0
    assert capsys.readouterr().out.startswith(f"* {added.key}\t{ROLE}")
    assert main(["models", "list"]) == 0
    assert added.key in capsys.readouterr().out
    assert main(["models", "back", ROLE]) == 0
    assert "comes with the program" in capsys.readouterr().out
    assert versions.live(ROLE) == SHIPPED
    assert main(["models", "back", ROLE]) == 1


def test_a_version_runs_in_shadow_by_command(
    trained: Path,
    versions: Versions,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = versions.add(trained, Origin("a" * 64, "0.3.0")).key
    assert main(["models", "shadow", key, "--who", "Dr Reader"]) == 0
    shadow = versions.shadow(ROLE)
    assert shadow is not None
    assert (shadow.key, shadow.who) == (key, "Dr Reader")
    assert main(["models", "versions"]) == 0
    assert capsys.readouterr().out.startswith(f"~ {key}\t{ROLE}")
    assert main(["models", "shadow", "--off", ROLE]) == 0
    assert versions.shadow(ROLE) is None
    for wrong in (["--off", ROLE], ["nothing@1"]):
        assert main(["models", "shadow", *wrong]) == 1
    for wrong in ([], [key, "--off", ROLE]):
        assert main(["models", "shadow", *wrong]) == 2
    assert versions.shadow(ROLE) is None


def test_what_the_gate_holds_back_stays_out_and_each_question_counts(
    phantoms: Path,
    trained: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained, phantoms).key
    uses = compared(monkeypatch, Standing.WORSE)
    asked = ["models", "promote", key, "--manifest", str(phantoms)]
    assert main(asked) == main(asked) == 1
    assert uses == [1, 2]
    assert f"{key} is not put into use: Sensitivity" in capsys.readouterr().err
    assert versions.live(ROLE) == SHIPPED
    assert main(["models", "promote", "nobody@7", "--manifest", str(phantoms)]) == 1
    assert "not among the versions" in capsys.readouterr().err


@pytest.mark.parametrize("verdict", [Verdict.AMBER, Verdict.RED, None])
def test_only_green_data_make_a_model_that_goes_live(
    phantoms: Path,
    trained: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Verdict | None,
) -> None:
    if verdict is not None:
        audited(trained, phantoms, verdict)
    key = promotion.add_version(versions, trained, phantoms).key
    compared(monkeypatch, Standing.BETTER)
    decision = promotion.promote(versions, ROLE, key, phantoms, "Dr Reader")
    assert decision.reasons == ("The audit of the training data was not green.",)
    assert versions.live(ROLE) == SHIPPED


def test_a_report_of_other_data_is_refused(
    phantoms: Path, trained: Path, versions: Versions, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    manifest = read_manifest(phantoms)
    write_manifest(replace(manifest, folder=other, rows=manifest.rows[:1], boxes=()))
    audited(trained, other, Verdict.GREEN)
    with pytest.raises(promotion.DataError, match="of other data"):
        promotion.add_version(versions, trained, phantoms)


def test_the_real_gate_says_that_four_women_are_too_few(
    phantoms: Path, trained: Path, versions: Versions
) -> None:
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained, phantoms).key
    decision = promotion.promote(versions, ROLE, key, phantoms, "Dr Reader")
    assert len(decision.compared) == 2
    assert decision.promoted == (
        not any(one.standing is Standing.TOO_FEW for one in decision.compared)
    )


def test_the_job_takes_the_version_in_once_and_keeps_what_the_gate_said(
    trained: Path,
    phantoms: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAMMOSCOPE_OWN_MODELS", str(versions.folder))
    audited(trained, phantoms, Verdict.GREEN)
    uses = compared(monkeypatch, Standing.NOT_WORSE)
    spec = {"trained": str(trained), "manifest": str(phantoms), **asdict(Margins())}
    watch = Watch()
    for _ in range(2):
        promotion.run(spec, watch)
    (version,) = versions.all(ROLE)
    assert uses == [1, 2]
    assert watch.news[-1] == {"comparison": str(trained / "comparison.json")}
    kept = json.loads((trained / "comparison.json").read_text())
    assert (kept["role"], kept["key"], kept["live"]) == (ROLE, version.key, SHIPPED)
    assert kept["decision"]["promoted"]
    assert kept["decision"]["compared"][0]["sentence"]
    # It was asked, not promoted.
    assert versions.live(ROLE) == SHIPPED
