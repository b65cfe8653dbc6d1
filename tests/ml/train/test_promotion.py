"""From a trained pack to the model in use, by commands: added, asked at the gate, gone back."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from ml.audit.command import tables_of
from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.errors import DataError, ModelError
from ml.evaluate import gate
from ml.evaluate.gate import Compared, Margins, Standing
from ml.files import write_json
from ml.in_use import packs_in_use
from ml.manifest import Split, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.program import code_version
from ml.train import promotion
from ml.train.beginnings import Beginning, noted
from ml.train.order import AUDIT, PLAN
from ml.versions import SHIPPED, Origin, Versions
from tests.factories.packs import make_packs, rewrite_card
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


def audited(trained: Path, manifest: Path, verdict: Verdict, override: str = "") -> None:
    """Have it been begun on these data, of which its audit said that."""
    words = Sentence.of("Said.")
    checks = (Check(words, verdict, words),)
    report = AuditReport("phantoms", 1, 1, checks, tables_of(manifest), override)
    (trained / AUDIT).write_text(json.dumps(report.to_json()))
    write_json(trained / PLAN, noted(trained, Beginning.of(report)))


def compared(monkeypatch: pytest.MonkeyPatch, standing: Standing) -> list[int]:
    """Have the comparison end so; the uses that it was told."""
    uses: list[int] = []

    def compare(*given: object) -> tuple[Compared, ...]:
        uses.append(int(str(given[-1])))
        new, live = given[:2]
        # The version against what is in use, and not the other way round.
        assert (new.card.version, live.card.version) == ("1", "0.1.0")  # type: ignore[attr-defined]
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
    assert main(["models", "add", str(trained)]) == 0
    (added,) = versions.all(ROLE)
    assert (added.origin.audit, added.origin.override) == ("green", "")
    assert added.origin.data_sha256 == "+".join(tables_of(phantoms).values())
    assert added.origin.code == code_version()
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
    key = promotion.add_version(versions, trained).key
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
    key = promotion.add_version(versions, trained).key
    compared(monkeypatch, Standing.BETTER)
    decision = promotion.promote(versions, ROLE, key, phantoms, "Dr Reader", Margins())
    assert decision.reasons == ("The audit of the training data was not green.",)
    assert versions.live(ROLE) == SHIPPED


def test_what_is_mended_after_the_training_mends_no_model(
    trained: Path, versions: Versions, phantoms: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(phantoms, data)
    audited(trained, data, Verdict.RED, "Only to see whether it runs.")
    taught = tables_of(data)
    # The table is mended in place, and its audit is green; the training is gone on with.
    manifest = read_manifest(data)
    write_manifest(replace(manifest, rows=manifest.rows[:-1]))
    assert tables_of(data) != taught
    audited(trained, data, Verdict.GREEN)
    added = promotion.add_version(versions, trained)
    assert added.origin.audit == "red"
    assert added.origin.override == "Only to see whether it runs."
    first, second = added.origin.data_sha256.split(", ")
    assert first == "+".join(taught.values())
    assert second == "+".join(tables_of(data).values())


def test_a_card_with_a_reason_against_a_red_audit_never_goes_live(
    phantoms: Path, trained: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent's reason, too, of which the audit of the child's data knows nothing."""
    rewrite_card(trained, overrides=["Only to see whether it runs."])
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained).key
    compared(monkeypatch, Standing.BETTER)
    decision = promotion.promote(versions, ROLE, key, phantoms, "Dr Reader", Margins())
    (reason,) = decision.reasons
    assert "for this reason: Only to see whether it runs." in reason
    assert versions.live(ROLE) == SHIPPED


def test_a_plan_that_is_none_is_refused(trained: Path, versions: Versions) -> None:
    for content in ("{", '{"beginnings": [{"verdict": "blue"}]}', '{"beginnings": [7]}', "[]"):
        (trained / PLAN).write_text(content)
        with pytest.raises(DataError, match="cannot be read"):
            promotion.add_version(versions, trained)
    (trained / PLAN).unlink()
    added = promotion.add_version(versions, trained)
    assert (added.origin.audit, added.origin.data_sha256) == ("", "")


def test_the_real_gate_says_that_four_women_are_too_few(
    phantoms: Path, trained: Path, versions: Versions
) -> None:
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained).key
    decision = promotion.promote(versions, ROLE, key, phantoms, "Dr Reader", Margins())
    assert [one.standing for one in decision.compared] == [Standing.TOO_FEW] * 2
    assert all(one.needed and one.needed > one.patients for one in decision.compared)
    assert not decision.promoted
    assert versions.live(ROLE) == SHIPPED
    assert decision.remarks == ()


def test_a_woman_who_is_added_makes_no_new_test_part(
    phantoms: Path, trained: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = promotion.add_version(versions, trained).key
    uses = compared(monkeypatch, Standing.WORSE)
    promotion.ask_gate(versions, ROLE, key, phantoms, Margins())
    manifest = read_manifest(phantoms)
    rows = tuple(replace(row, split=Split.TEST) for row in manifest.rows)
    monkeypatch.setattr(promotion, "read_manifest", lambda _: replace(manifest, rows=rows))
    promotion.ask_gate(versions, ROLE, key, phantoms, Margins())
    assert uses == [1, 2]


def test_the_margins_are_those_of_the_settings_or_of_the_command(
    phantoms: Path,
    trained: Path,
    versions: Versions,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained).key
    seen: list[Margins] = []

    def compare(*given: object) -> tuple[Compared, ...]:
        seen.extend(each for each in given if isinstance(each, Margins))
        gain = gate.Estimate(0.0, -0.01, 0.01)
        return (Compared("Sensitivity", 0.8, 0.8, gain, 0.05, 50, Standing.NOT_WORSE),)

    monkeypatch.setattr(promotion, "compare_packs", compare)
    asked = [key, "--manifest", str(phantoms)]
    (home / "settings.toml").write_text("margin_sensitivity = 0.02\nmargin_false_marks = 1.5\n")
    assert main(["models", "compare", *asked]) == 0
    assert versions.live(ROLE) == SHIPPED, "compared is not promoted"
    assert main(["models", "promote", *asked, "--margin-false-marks", "0"]) == 0
    assert seen == [Margins(0.02, 0.05, 1.5), Margins(0.02, 0.05, 0.0)]
    assert "not worse" in capsys.readouterr().out
    assert main(["models", "compare", *asked, "--margin-sensitivity", "-1"]) == 2


def test_that_a_diagnosis_changes_with_the_detector_is_said(
    phantoms: Path,
    trained: Path,
    versions: Versions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite_card(tmp_path / "in-use" / "classifier", mark_weights={"lesion": 0.3})
    audited(trained, phantoms, Verdict.GREEN)
    key = promotion.add_version(versions, trained).key
    compared(monkeypatch, Standing.NOT_WORSE)
    decision = promotion.ask_gate(versions, ROLE, key, phantoms, Margins())
    assert promotion.plain(decision)["remarks"] == list(decision.remarks)
    assert len(decision.remarks) == 1
    assert decision.promoted, "it speaks neither for nor against"
    assert main(["models", "promote", key, "--manifest", str(phantoms)]) == 0
    assert "The score of tiny-classifier@0.1.0" in capsys.readouterr().out


def test_an_own_version_is_shown_with_the_reasons_on_its_card(
    trained: Path,
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite_card(trained, overrides=["Only to see whether it runs."])
    key = promotion.add_version(versions, trained).key
    assert main(["models", "show", key]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert f"{shown['name']}@{shown['version']}" == key
    assert shown["overrides"] == ["Only to see whether it runs."]
    assert main(["models", "show", "nobody@7"]) == 1
    assert "`mammoscope models versions` your own" in capsys.readouterr().err


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
    assert kept["beside"] == {"calcifications": SHIPPED}
    assert kept["decision"]["promoted"]
    assert kept["decision"]["compared"][0]["sentence"]
    # It was asked, not promoted.
    assert versions.live(ROLE) == SHIPPED
    versions.promote(ROLE, version.key, "Dr A", {})
    with pytest.raises(ModelError, match="in use already"):
        promotion.run(spec, watch)
    assert uses == [1, 2], "nobody was asked"
