"""Does it help? From made-up answers to what may be said, and what a matrix trains."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ml.train.command as command
import ml.train.helps as helps
from ml.audit.command import tables_of
from ml.audit.report import AuditReport, Check, Sentence
from ml.audit.report import Verdict as Verdict_
from ml.cli import main as cli
from ml.cli_training import MODES
from ml.errors import DataError
from ml.evaluate.bootstrap import Estimate
from ml.evaluate.detection import false_marks_at, sensitivity_at
from ml.evaluate.holm import holm
from ml.evaluate.versus import part_of, rows_for_testing
from ml.hashed import name_sha256
from ml.job_process import KINDS, find_work
from ml.mammo.prepare import PrepareSpec
from ml.manifest import Manifest, ManifestRow, Source, Split, read_manifest, write_manifest
from ml.places import OWN_MODELS_VARIABLE
from ml.registry import read_pack
from ml.train.helps_figures import (
    LESION,
    MALIGNANCY,
    SENSITIVITY,
    Arm,
    Findings,
    Verdict,
    answers_of,
    arms_of,
    best_synthetic,
    draws_for,
    findings_of,
    verdict_of,
)
from ml.train.helps_page import sentence_of, sentence_over_all
from ml.train.order import HelpsOrder, Mode
from ml.versions import Versions
from tests.factories.truths import make_item, make_judged, make_marked
from tests.ml.synth.test_making import Watch
from tests.ml.train.test_command import PLAN, phantoms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["phantoms"]

# Draws cost time: so few that Holm still leaves something of six comparisons.
ORDER = HelpsOrder("in", "out", "detector", doses=(0.5, 1.0))
ARMS = arms_of(ORDER)
THRESHOLD = 0.5
DRAWS = 260


def detector(
    skill: float, seed: int, women: int = 80, false: float = 0.2, jump: float = 0.0
) -> dict[str, object]:
    """Half of the women have a lesion, found where it is easy enough.

    How easy each is, is the same for every training: that is what pairing is about.
    """
    rng = np.random.default_rng(20261129)
    ease, noise = rng.random(women), rng.random(women)
    own = np.random.default_rng(seed).normal(0, 0.01)
    images = []
    for number in range(women):
        if number % 2:
            hit = ease[number] < skill + own + jump * (seed - 1)
            images.append(make_marked(f"woman {number}", (0.9 if hit else 0.1,)))
        else:
            scores = (0.8,) if noise[number] < false else (0.1,)
            images.append(make_marked(f"woman {number}", (), scores))
    return answers_of(images, THRESHOLD)


def classifier(skill: float, seed: int, women: int = 80) -> dict[str, object]:
    rng = np.random.default_rng(20261129)
    luck = rng.normal(0, 1, women) + np.random.default_rng(seed).normal(0, 0.1, women)
    scores = 1 / (1 + np.exp(-(luck + skill * (np.arange(women) % 2))))
    images = [
        make_judged(f"woman {number}", float(score), lesion=bool(number % 2))
        for number, score in enumerate(scores)
    ]
    return answers_of(images, THRESHOLD)


def matrix(
    said: Mapping[Mode, Callable[[int], dict[str, object]]],
    usual: Callable[[int], dict[str, object]],
    draws: int = DRAWS,
    arms: tuple[Arm, ...] = ARMS,
) -> Findings:
    answers = {arm: [said.get(arm.mode, usual)(seed) for seed in range(3)] for arm in arms}
    return findings_of(answers, draws=draws)


def usual(seed: int) -> dict[str, object]:
    return detector(0.6, seed)


def test_the_arms_are_all_modes_and_the_mixed_one_with_every_dose() -> None:
    assert [(arm.mode.value, arm.dose) for arm in ARMS] == [
        ("real", 0),
        ("augmented", 0),
        ("oversampled", 0),
        ("mixed", 0.5),
        ("mixed", 1),
        ("synthetic_first", 1),
        ("synthetic_only", 1),
    ]
    assert len({arm.folder(seed) for arm in ARMS for seed in range(3)}) == 21


def test_kept_answers_give_the_figures_of_every_other_report() -> None:
    marked = [make_marked("a", (0.9, 0.3)), make_marked("b", (), (0.7, 0.2)), make_marked("c")]
    kept = json.loads(json.dumps(answers_of(marked, THRESHOLD)))
    found = findings_of({Arm(Mode.AUGMENTED): [kept] * 3}, draws=20)
    (one,) = found.measured
    assert one.of_seeds == (sensitivity_at(marked, THRESHOLD),) * 3
    assert one.false_marks is not None
    assert one.false_marks.value == false_marks_at(marked, THRESHOLD) == 0.5
    assert "woman" not in json.dumps(detector(0.5, 0)), "no patient's name is kept"


def test_a_mode_that_truly_helps_is_said_to_help() -> None:
    found = matrix({Mode.MIXED: lambda seed: detector(0.85, seed)}, usual)
    said = {one.arm: one for one in found.comparisons}
    for dose in (0.5, 1.0):
        one = said[Arm(Mode.MIXED, dose)]
        assert one.verdict is Verdict.HELPS
        assert one.gain.value == pytest.approx(0.25, abs=0.1)
        assert sentence_of(one).startswith("It helps: sensitivity is higher by 0.")
    assert said[Arm(Mode.SYNTHETIC_ONLY, 1.0)].verdict is not Verdict.HELPS
    assert best_synthetic(found).arm.mode is Mode.MIXED
    assert "Synthetic images help here" in sentence_over_all(found)


def test_a_mode_that_does_nothing_brings_no_gain() -> None:
    found = matrix({}, lambda seed: detector(0.6, seed, women=130))
    assert {one.verdict for one in found.comparisons} == {Verdict.NO_GAIN}
    assert {one.gain.value for one in found.comparisons} == {0}
    assert "no gain of more than 0.05" in sentence_over_all(found)


def test_few_women_or_seeds_that_disagree_are_too_few_to_tell() -> None:
    few = matrix(
        {Mode.MIXED: lambda seed: detector(0.7, seed, women=12)},
        lambda seed: detector(0.6, seed, women=12),
    )
    assert {o.verdict for o in few.comparisons if o.arm.mode is Mode.MIXED} == {Verdict.TOO_FEW}
    said = sentence_over_all(few)
    assert said.startswith("Whether synthetic images help cannot be told from 12 patients")
    wild = matrix({Mode.MIXED: lambda seed: detector(0.65, seed, jump=0.3)}, usual)
    assert best_synthetic(wild).verdict is Verdict.TOO_FEW


def test_harm_is_said_too_and_of_synthetic_images_only_where_all_harm() -> None:
    worse = {mode: lambda seed: detector(0.3, seed) for mode in (Mode.MIXED, Mode.REAL)}
    found = matrix(worse, usual)
    verdicts = {one.arm: one.verdict for one in found.comparisons}
    assert verdicts[Arm(Mode.REAL)] is Verdict.HARMS
    assert "harm" not in sentence_over_all(found)
    dosed = (Mode.MIXED, Mode.SYNTHETIC_FIRST, Mode.SYNTHETIC_ONLY)
    all_worse = matrix({mode: lambda seed: detector(0.3, seed) for mode in dosed}, usual)
    assert "Synthetic images harm here" in sentence_over_all(all_worse)


def test_no_help_is_claimed_where_false_marks_rose() -> None:
    bold = {Mode.MIXED: lambda seed: detector(0.85, seed, false=0.5)}
    found = matrix(bold, usual)
    one = next(one for one in found.comparisons if one.arm.mode is Mode.MIXED)
    assert one.rise is not None
    assert one.rise.value > 0.1
    assert one.verdict is Verdict.TRADED
    assert "no help is shown" in sentence_of(one)
    assert "No help of synthetic images is shown" in sentence_over_all(found)


@pytest.mark.parametrize(
    ("gain", "p", "rise", "verdict"),
    [
        ((0.1, 0.02, 0.2), 0.04, None, Verdict.HELPS),
        ((0.1, 0.02, 0.2), 0.06, None, Verdict.TOO_FEW),
        ((0.02, 0.01, 0.04), 0.06, None, Verdict.NO_GAIN),
        ((0.1, 0.02, 0.2), 0.04, 0.0, Verdict.HELPS),
        ((0.1, 0.02, 0.2), 0.04, 0.01, Verdict.TRADED),
        ((-0.1, -0.2, -0.02), 0.04, None, Verdict.HARMS),
        ((-0.1, -0.2, -0.02), 0.04, -0.01, Verdict.TRADED),
        ((0.0, -0.06, 0.06), 1.0, None, Verdict.TOO_FEW),
        ((math.nan,) * 3, math.nan, None, Verdict.TOO_FEW),
    ],
)
def test_what_an_interval_allows_to_say(
    gain: tuple[float, float, float], p: float, rise: float | None, verdict: Verdict
) -> None:
    risen = None if rise is None else Estimate(rise, rise - 0.1, rise + 0.1)
    assert verdict_of(Estimate(*gain), p, risen, ill=100) is verdict


def test_an_interval_without_width_says_nothing_of_a_few_women() -> None:
    nothing = Estimate(0.0, 0.0, 0.0)
    assert verdict_of(nothing, 1.0, None, ill=59) is Verdict.TOO_FEW
    assert verdict_of(nothing, 1.0, None, ill=60) is Verdict.NO_GAIN
    alike = matrix({}, lambda seed: detector(0.6, 0, women=40))
    assert {one.verdict for one in alike.comparisons} == {Verdict.TOO_FEW}


def test_holm_counts_every_comparison_of_the_matrix() -> None:
    found = matrix({Mode.MIXED: lambda seed: detector(0.85, seed)}, usual)
    assert len(found.comparisons) == 6
    least = 2 / (DRAWS + 1)
    p = {one.arm: one.p for one in found.comparisons}
    assert p[Arm(Mode.MIXED, 1.0)] == pytest.approx(6 * least)
    assert p == pytest.approx(dict(zip(p, holm([1, 1, least, least, 1, 1]), strict=True)))
    assert draws_for(6) == 6000
    assert 2 / (draws_for(6) + 1) * 6 < 0.05 / 20
    both = matrix({}, lambda seed: classifier(1.0, seed), draws=5)
    assert len(both.comparisons) == 12, "both figures of a classifier are asked"
    assert {one.figure for one in both.comparisons} == {LESION, MALIGNANCY}


def test_a_classifier_is_held_by_its_areas() -> None:
    better = {Mode.SYNTHETIC_FIRST: lambda seed: classifier(2.5, seed)}
    found = matrix(better, lambda seed: classifier(1.0, seed), arms=ARMS[1:3] + ARMS[5:6])
    helped = {one.arm.mode for one in found.comparisons if one.verdict is Verdict.HELPS}
    assert helped == {Mode.SYNTHETIC_FIRST}
    assert all(one.rise is None for one in found.comparisons)
    assert "AUC" in sentence_over_all(found)


def test_one_woman_allows_to_say_nothing() -> None:
    found = matrix({}, lambda seed: answers_of([make_marked("a", (0.9,))] * 4, THRESHOLD))
    assert sentence_of(found.comparisons[0]) == "Too few to tell: there is no interval."
    assert "too few patients" in sentence_over_all(found)


def test_other_images_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="not measured on the same images"):
        matrix({Mode.REAL: lambda seed: detector(0.6, seed, women=198)}, usual)


def test_an_order_says_what_it_lacks() -> None:
    assert HelpsOrder.from_json(ORDER.to_json()) == ORDER
    twice = {**ORDER.to_json(), "doses": [2, 0.5, 2]}
    assert HelpsOrder.from_json(twice).doses == (0.5, 2)
    for seeds in (1, 2, 21):
        with pytest.raises(DataError, match="ask for 3 to 20 seeds, not for"):
            HelpsOrder.from_json({**ORDER.to_json(), "seeds": seeds})
    for doses in ([], [0], [-1, 1], ["1"], list(range(1, 12))):
        with pytest.raises(DataError, match="doses of synthetic images"):
            HelpsOrder.from_json({**ORDER.to_json(), "doses": doses})
    wrong = ({"role": "generator"}, {"part": 0}, {"device": "abacus"}, {"more": 1})
    for change in (*wrong, {"doses": 1}, {"seeds": 3.5}):
        with pytest.raises(DataError, match="make it anew"):
            HelpsOrder.from_json({**ORDER.to_json(), **change})
    least = {name: ORDER.to_json()[name] for name in ("manifest", "out", "role")}
    assert HelpsOrder.from_json(least).doses == (0.5, 1, 2)
    bare = {name: said for name, said in ORDER.to_json().items() if name != "role"}
    with pytest.raises(DataError, match="make it anew"):
        HelpsOrder.from_json(bare)


class School:
    """Stands for the training: notes what is trained, and kills the program where asked."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.overrides: set[tuple[str, ...]] = set()
        self.kill_at = ""
        self.steps: dict[str, int] = {}
        self.skill: dict[Mode, float] = {}

    def prepare(self, *_: object) -> tuple[SimpleNamespace, tuple[int, ...]]:
        box = ((1.0, 1.0, 9.0, 9.0),)
        items = [make_item(str(number), box if number % 2 else ()) for number in range(24)]
        rows = [replace(item, source="real") for item in items[:8]]
        return SimpleNamespace(items=(*rows, *items[8:])), tuple(range(24))

    def main(self, role: str, manifest: Path, out: Path, **given: Any) -> None:
        if out.name == self.kill_at:
            raise KeyboardInterrupt
        assert given["from_scratch"]
        assert given["prepared"] == out.parent.parent / "prepared"
        steps = self.steps.get(out.name, 10)
        plan = {"detector": {"steps": steps, "batch": 4, "rate": 0.1}}
        (out / "plan.json").write_text(json.dumps(plan))
        teaching = given["teaching"]
        given["control"].say(steps, steps, {"stage": "detector", "loss": 0.1})
        skill = self.skill.get(teaching.mode, 0.6)
        told = detector(skill, teaching.seed)
        (out / "said.json").write_text(json.dumps(told))
        (out / "synthetic").mkdir(exist_ok=True)
        (out / "synthetic" / "detector.pt").write_text("checkpoint")
        self.trained.append(out.name)
        self.overrides.add(given["overrides"])

    def measure(self, trained: Path, *_: object) -> dict[str, object]:
        return json.loads((trained / "said.json").read_text())


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> School:
    school = School()
    monkeypatch.setattr(command, "main", school.main)
    monkeypatch.setattr(command, "prepare", school.prepare)
    monkeypatch.setattr(helps, "measure", school.measure)
    monkeypatch.setattr(
        "ml.train.run.audit", lambda *_, **given: AuditReport("", 1, 1, (), given["tables"])
    )
    monkeypatch.setattr("ml.train.helps_figures.draws_for", lambda _: DRAWS)
    return school


@pytest.fixture
def asked(tmp_path: Path) -> HelpsOrder:
    folder = tmp_path / "data"
    folder.mkdir()
    write_manifest(Manifest(folder, (ManifestRow("a.dcm", "woman", split=Split.TEST),)))
    return replace(ORDER, manifest=str(folder), out=str(tmp_path / "out"))


def test_a_killed_matrix_trains_only_what_is_missing(school: School, asked: HelpsOrder) -> None:
    school.kill_at = "mixed-1-seed1"
    with pytest.raises(KeyboardInterrupt):
        helps.run(asked.to_json())
    first, school.trained, school.kill_at = school.trained, [], ""
    watch = Watch()
    helps.run(asked.to_json(), watch)
    assert len(first) == 7 + 4
    assert school.trained[0] == "mixed-1-seed1"
    assert len({*first, *school.trained}) == len(first) + len(school.trained) == 21
    assert (210, 210) in watch.told
    assert watch.news[-1] == {"helps": str(Path(asked.out) / "helps.json")}
    assert watch.news[1] | {"loss": 0.1} == {
        **{"training": 12, "of_trainings": 21, "mode": "mixed", "dose": 1.0, "seed": 1},
        **{"done": 10, "of": 10, "stage": "detector", "loss": 0.1},
    }
    # With another seed and dose only those are trained.
    school.trained = []
    helps.run(replace(asked, seeds=4, doses=(0.25, 0.5, 1.0)).to_json())
    assert len(school.trained) == 8 + 3
    assert {name for name in school.trained if "seed3" not in name} == {
        f"mixed-0.25-seed{seed}" for seed in range(3)
    }


def test_the_matrix_says_what_it_found(school: School, asked: HelpsOrder) -> None:
    school.skill = {Mode.MIXED: 0.85}
    helps.run(asked.to_json(), watch := Watch())
    told = json.loads((Path(asked.out) / "helps.json").read_text())
    assert told["verdict"] == "helps"
    assert told["sentence"] in watch.sentences
    assert told["budget"] == {"detector": {"steps": 10, "batch": 4}}
    assert len(told["comparisons"]) == 6
    assert len(told["measured"]) == 7
    assert len(told["measured"][0]["of_seeds"]) == 3
    assert not list(Path(asked.out).rglob("*.pt")), "finished trainings keep no checkpoint"
    page = (Path(asked.out) / "helps.md").read_text()
    assert told["sentence"] in page
    rows = [line for line in page.splitlines() if line.startswith("| real and synthetic")]
    assert len(rows) == 2
    assert all("It helps: sensitivity is higher by" in row for row in rows)
    doses = page.partition("### Dose-response")[2]
    assert [
        row.split("|")[1].strip() for row in doses.splitlines() if row.startswith("| ")
    ] == [
        *("dose", "---", "0", "0.5", "1"),
    ]


@pytest.mark.usefixtures("school")
def test_the_gate_is_told_of_every_way_that_was_measured_once(
    asked: HelpsOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(tmp_path / "own")
    monkeypatch.setenv(OWN_MODELS_VARIABLE, str(versions.folder))
    part = part_of(rows_for_testing(read_manifest(Path(asked.manifest))))
    for _ in range(2):
        helps.run(asked.to_json())
        assert versions.tests(part) == len(ARMS) == 7, "not again for what is there already"


def test_red_data_teach_no_matrix_without_a_reason(
    school: School, asked: HelpsOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Sentence.of("Said.")
    checks = (Check(said, Verdict_.RED, said),)
    monkeypatch.setattr(
        "ml.train.run.audit",
        lambda *_, **given: AuditReport("", 1, 1, checks, given["tables"]),
    )
    with pytest.raises(DataError, match="should not be trained on"):
        helps.run(asked.to_json())
    assert school.trained == []
    reason = "Only to see what it would say."
    helps.run(replace(asked, override=reason).to_json())
    assert school.overrides == {(reason,)}


def test_without_images_for_testing_nothing_is_trained(
    school: School, asked: HelpsOrder
) -> None:
    row = ManifestRow("a.dcm", "woman", split=Split.TRAIN)
    write_manifest(Manifest(Path(asked.manifest), (row,)))
    with pytest.raises(DataError, match="no row for testing"):
        helps.run(asked.to_json())
    assert school.trained == []


def test_unequal_budgets_are_refused_before_the_training(
    school: School, asked: HelpsOrder
) -> None:
    school.steps = {"mixed-0.5-seed0": 20}
    with pytest.raises(
        DataError, match=r"mixed-0\.5-seed0 takes 20 x 4, real-seed0 takes 10 x 4"
    ):
        helps.run(asked.to_json())
    assert school.trained == ["real-seed0", "augmented-seed0", "oversampled-seed0"]


def test_a_folder_holds_one_matrix(school: School, asked: HelpsOrder) -> None:
    helps.run(asked.to_json())
    with pytest.raises(DataError, match="choose another folder"):
        helps.run(replace(asked, part=0.5).to_json())
    write_manifest(Manifest(Path(asked.manifest), (ManifestRow("b.dcm", "another"),)))
    with pytest.raises(DataError, match="choose another folder"):
        helps.run(asked.to_json())


def test_too_large_a_dose_is_said_before_any_training(
    school: School, asked: HelpsOrder
) -> None:
    with pytest.raises(DataError, match="asks for 24 synthetic images"):
        helps.run(replace(asked, doses=(1.0, 3.0)).to_json())
    assert not school.trained


def test_the_command_and_the_queue_ask_for_the_same(
    school: School, asked: HelpsOrder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_work(KINDS, "helps") is helps.run
    given = ["helps", asked.manifest, "--role", "detector", "--out", asked.out]
    assert cli([*given, "--seeds", "3", "--doses", "0.5", "1", "--device", "cpu"]) == 0
    assert len(school.trained) == 21
    assert cli([*given, "--seeds", "2"]) == 1
    assert "3 to 20 seeds" in capsys.readouterr().err
    assert (Path(asked.out) / "helps.md").exists()


def test_a_training_of_one_mode_is_asked_for_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders: list[dict[str, object]] = []
    monkeypatch.setattr("ml.train.run.run", lambda spec, _: orders.append(spec))
    given = ["train", "detector", "--manifest", "in", "--out", "out"]
    assert cli([*given, "--mode", "mixed", "--dose", "0.5"]) == 0
    assert cli(given) == 0
    assert [(each["mode"], each["dose"]) for each in orders] == [("mixed", 0.5), ("", 1.0)]
    assert cli([*given, "--mode", "magic"]) == 2
    assert tuple(mode.value for mode in Mode) == MODES


def few(manifest: Manifest, purpose: Split) -> list[ManifestRow]:
    """Two images with a lesion, and two without of other women."""
    rows = [row for row in manifest.rows if row.split is purpose]
    boxed = [row for row in rows if manifest.boxes_of(row.path)]
    free = [row for row in rows if not manifest.boxes_of(row.path)]
    women = {row.patient_id for row in boxed[:2]}
    return [*boxed[:2], *[row for row in free if row.patient_id not in women][:2]]


@pytest.mark.slow
@pytest.mark.parametrize("role", ["detector", "classifier"])
def test_a_tiny_matrix_is_trained_measured_and_told(
    role: str, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phantoms act as real images; four more of those for training stay phantoms."""
    manifest = read_manifest(phantoms)
    real = [replace(row, source=Source.REAL) for each in Split for row in few(manifest, each)]
    used = {row.path for row in real}
    train = [r for r in manifest.rows if r.split is Split.TRAIN and r.path not in used]
    boxed = [row for row in train if manifest.boxes_of(row.path)]
    free = [row for row in train if not manifest.boxes_of(row.path)]
    made = [replace(row, source=Source.PHANTOM) for row in (*boxed[:2], *free[:2])]
    rows = tuple(replace(row, file=str(phantoms / row.path)) for row in (*real, *made))
    folder = tmp_path / "data"
    folder.mkdir()
    boxes = tuple(b for b in manifest.boxes if b.path in {row.path for row in rows})
    write_manifest(replace(manifest, rows=rows, boxes=boxes, folder=folder))
    # No table may call a phantom real; here they only stand for real ones.
    monkeypatch.setattr("ml.data.sources.listed._refuse_disguised", lambda *_: None)
    coarse = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)
    monkeypatch.setattr("ml.train.command.WHOLE", coarse)
    monkeypatch.setattr(command, "plan_training", lambda *_, **__: PLAN)
    green = AuditReport("phantoms", 1, 1, (), tables_of(folder))
    monkeypatch.setattr("ml.train.run.audit", lambda *_, **__: green)
    # With what the others teach is told in `test_modes`; here it is how a matrix runs.
    arms = (Arm(Mode.AUGMENTED), Arm(Mode.MIXED, 1.0))
    monkeypatch.setattr("ml.train.helps_figures.arms_of", lambda _: arms)
    order = HelpsOrder(str(folder), str(tmp_path / "out"), role, "cpu", doses=(1.0,))
    watch = Watch()
    helps.run(order.to_json(), watch)
    told = json.loads((tmp_path / "out" / "helps.json").read_text())
    figures = {one["figure"] for one in told["measured"]}
    assert figures <= ({SENSITIVITY} if role == "detector" else {LESION, MALIGNANCY})
    assert len(told["comparisons"]) == len(figures) > 0
    assert told["images"] == 4
    steps = {1: 2, 2: 4}[len(told["budget"])]
    assert watch.told[-2] == (6 * steps, 6 * steps)
    one = tmp_path / "out" / "trainings" / "mixed-1-seed2"
    assert "Mode: real and synthetic images mixed (4 real, 4" in read_pack(one).card.data
    asked = {name_sha256(row.patient_id) for row in real if row.split is Split.TEST}
    answers = json.loads((one / helps.ANSWERS).read_text())
    assert {answer["patient"] for answer in answers["images"]} == asked
