"""From a manifest to a pack that the program can use, in as few steps as say anything."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ml.audit.command import tables_of
from ml.audit.report import AuditReport
from ml.cli import main as cli
from ml.control import Control, Stopped
from ml.errors import DataError
from ml.hashed import name_sha256, own_patient
from ml.in_use import packs_in_use
from ml.infer.on_cpu import CpuEngine
from ml.infer.reader import load_reader
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.manifest import (
    HOST_PATIENT,
    BoxRow,
    Manifest,
    ManifestRow,
    ReferenceStandard,
    Split,
    read_manifest,
    write_manifest,
)
from ml.phantom.dataset import write_phantoms
from ml.registry import CARD, FINE_ROLE, read_pack
from ml.splits import split_of
from ml.train import command, packs
from ml.train.beginnings import beginnings_of
from ml.train.classifier import ClassifierRecipe
from ml.train.command import main
from ml.train.detector import DetectorRecipe
from ml.train.fingerprint import Fingerprint
from ml.train.held_out import refuse_known_patients
from ml.train.order import TrainingOrder
from ml.train.patches import PatchRecipe
from ml.train.plan import Device, Plan
from ml.train.run import run
from tests.factories.packs import SPEC
from tests.factories.truths import make_item
from tests.ml.synth.test_making import Watch

if TYPE_CHECKING:
    from ml.train.crops import CropSource

FEW = {"steps": 2, "batch": 2, "warmup": 1}
DATA = Fingerprint(16, 4, 8, 8, 1024, 640, 0.2, (20.0, 40.0, 60.0))
PLAN = Plan(
    DATA,
    Device("cpu", 2),
    256,
    DetectorRecipe(**FEW),
    PatchRecipe(**FEW),
    ClassifierRecipe(**FEW, phantom_variants=1),
)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve women, four for each purpose with masses and specks, at a coarse pixel."""
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 12, 34, pixel_mm=0.4)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    purpose = {woman: tuple(Split)[number % 3] for number, woman in enumerate(women)}
    rows = tuple(replace(row, split=purpose[row.patient_id]) for row in manifest.rows)
    write_manifest(replace(manifest, rows=rows))
    return folder


def test_a_training_is_an_order_that_stops_and_goes_on(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "plan_training", lambda *_, **__: PLAN)
    green = AuditReport("phantoms", 1, 1, (), tables_of(phantoms))
    monkeypatch.setattr("ml.train.run.audit", lambda *_, **__: green)
    order = TrainingOrder(
        str(phantoms), str(tmp_path), "classifier", device="cpu", from_scratch=True
    )
    with pytest.raises(Stopped):
        run(order.to_json(), Watch(stop_after=4))
    assert (tmp_path / "patches.pt").exists()
    assert not (tmp_path / CARD).exists()
    assert [one.verdict for one in beginnings_of(tmp_path)] == ["green"], "kept from the start"
    watch = Watch()
    run(order.to_json(), watch)
    (_, *stages, last) = watch.news
    assert [news["stage"] for news in stages] == ["classifier"] * len(stages)
    assert watch.told[-1] == (4, 4)
    assert last == {"pack": str(tmp_path)}
    assert any(sentence.startswith("AUC") for sentence in watch.sentences)


def test_both_models_are_trained_measured_and_usable(phantoms: Path, tmp_path: Path) -> None:
    rows = read_manifest(phantoms).rows
    for role in ("detector", "classifier"):
        main(role, phantoms, tmp_path / role, plan=PLAN, from_scratch=True)
        card = read_pack(tmp_path / role).card
        assert card.role == role
        assert card.figures
        # Who is to test is asked by the gate alone.
        assert {figure.data for figure in card.figures} == {command.MEASURED}
        assert card.operating_points[0].chosen_on == "the manifest's rows for validation"
        taught = [row for row in rows if row.split is Split.TRAIN]
        women = {name_sha256(row.patient_id) for row in taught}
        assert set(card.training_patients) == women
        assert len(card.training_images) == len(taught)
        assert not card.validated_kinds, "phantoms validate nothing"
    folders = {role: tmp_path / role for role in ("detector", "classifier")}
    assert load_reader(folders, CpuEngine("f32")).detector.name == "own-detector"


@pytest.mark.slow
def test_calcifications_are_learnt_in_fine_pixels(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fine is what the phantoms have; then a detector is measured with that one beside it."""
    fine = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)
    monkeypatch.setattr("ml.train.command.FINE", fine)
    main("calcifications", phantoms, tmp_path / "fine", plan=PLAN, from_scratch=True)
    pack = read_pack(tmp_path / "fine")
    assert (pack.card.role, pack.card.prepare) == ("calcifications", fine)
    assert pack.card.figures
    assert all("calcifications only" in figure.data for figure in pack.card.figures)
    monkeypatch.setattr("ml.train.command.packs_in_use", lambda: {FINE_ROLE: pack.folder})
    main("detector", phantoms, tmp_path / "whole", plan=PLAN)
    card = read_pack(tmp_path / "whole").card
    assert card.operating_points[0].chosen_on.endswith("with own-calcifications@1 beside it")


def test_a_classifier_is_measured_with_the_detectors_marks(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"detector": packs_in_use()["detector"]}
    monkeypatch.setattr("ml.train.command.packs_in_use", lambda: installed)
    main("classifier", phantoms, tmp_path, plan=PLAN)
    card = read_pack(tmp_path).card
    name = read_pack(installed["detector"]).card.key
    assert card.operating_points[0].chosen_on.endswith(f"with {name} beside it")
    assert set(card.mark_weights) <= {"lesion", "malignancy"}


def test_too_coarse_pixels_are_said(phantoms: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fine enough"):
        main("calcifications", phantoms, tmp_path, plan=PLAN, from_scratch=True)


@pytest.mark.slow
def test_the_parents_patients_are_in_the_childs_card(phantoms: Path, tmp_path: Path) -> None:
    parent = read_pack(packs_in_use()["detector"]).card
    main("detector", phantoms, tmp_path, plan=PLAN)
    card = read_pack(tmp_path).card
    assert parent.training_patients
    assert set(parent.training_patients) <= set(card.training_patients)
    assert set(parent.training_images) <= set(card.training_images)
    assert parent.name in card.data
    assert json.loads((tmp_path / "plan.json").read_text())["crop_px"] == PLAN.crop_px


@pytest.mark.parametrize("split", [Split.VALIDATION, Split.TEST])
def test_whom_the_parent_was_trained_on_cannot_measure_the_child(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Split
) -> None:
    known = next(r for r in read_manifest(phantoms).rows if r.split is split)
    pack = read_pack(packs_in_use()["detector"])
    card = replace(pack.card, training_patients=(name_sha256(known.patient_id),))
    monkeypatch.setattr("ml.train.command.read_pack", lambda folder: replace(pack, card=card))
    with pytest.raises(DataError, match="--from-scratch") as error:
        main("detector", phantoms, tmp_path, plan=PLAN)
    assert known.path in str(error.value)


def test_who_measures_was_taught_under_none_of_her_names() -> None:
    """P1 is held out by a hash, P2 teaches."""
    for taught in ("P1", own_patient("P1")):
        manifest = Manifest(Path(), (ManifestRow("a.dcm", "P1"), ManifestRow("b.dcm", "P2")))
        with pytest.raises(DataError, match=r"a\.dcm"):
            refuse_known_patients([name_sha256(taught)], manifest)
    refuse_known_patients([name_sha256("P2"), name_sha256("P3")], manifest)


def test_into_whose_breast_was_painted_is_on_the_card() -> None:
    host = name_sha256("P2")
    made = ManifestRow("made.dcm", "SYNTHETIC-1", extra={HOST_PATIENT: host})
    other = replace(made, path="unseen.dcm", extra={HOST_PATIENT: name_sha256("P3")})
    rows = (ManifestRow("a.dcm", "P1"), made, other)
    items = tuple(replace(make_item(name), image_id=name) for name in ("a.dcm", "made.dcm"))
    lesson = SimpleNamespace(
        taught=lambda: items, training=SimpleNamespace(spec=SPEC), sentence=str
    )
    origin = command._origin("detector", Manifest(Path(), rows), "data", lesson, None)  # type: ignore[arg-type]
    patients = packs._first_card("detector", origin).training_patients
    assert host in patients
    assert name_sha256("P3") not in patients


def test_without_images_for_testing_a_model_can_be_trained(
    phantoms: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(phantoms)
    for missing in Split:
        rows = tuple(row for row in manifest.rows if row.split is not missing)
        few = (replace(manifest, rows=rows), tmp_path, {}, "detector", Control())
        if missing is Split.TEST:
            assert set(command._purposes(*few)) == {Split.TRAIN, Split.VALIDATION}
        else:
            with pytest.raises(DataError, match="has no image for"):
                command._purposes(*few)


def test_the_same_image_in_two_splits_is_refused(phantoms: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(phantoms, folder)
    manifest = read_manifest(folder)
    first = next(row for row in manifest.rows if row.split is Split.TRAIN)
    shutil.copyfile(folder / first.path, folder / "again.dcm")
    again = replace(first, path="again.dcm", patient_id="another", split=Split.TEST)
    write_manifest(replace(manifest, rows=(*manifest.rows, again)))
    with pytest.raises(DataError, match="the same image in two splits") as error:
        main("detector", folder, tmp_path / "out", plan=PLAN, from_scratch=True)
    assert "again.dcm" in str(error.value)
    with pytest.raises(DataError, match="the same image in two splits"):
        main("detector", folder, tmp_path / "out", plan=PLAN, from_scratch=True)


def test_a_row_without_a_split_goes_where_its_patient_goes() -> None:
    rows = [ManifestRow(f"{i}.dcm", f"patient-{i // 4}") for i in range(400)]
    splits = {
        row.patient_id: {split_of(r) for r in rows if r.patient_id == row.patient_id}
        for row in rows
    }
    assert all(len(found) == 1 for found in splits.values())
    share = sum(split_of(row) is Split.TRAIN for row in rows) / len(rows)
    assert 0.5 < share < 0.7
    assert split_of(replace(rows[0], split=Split.TEST)) is Split.TEST


def test_what_cannot_be_learnt_from_is_said(phantoms: Path, tmp_path: Path) -> None:
    empty = Manifest(tmp_path, ())
    write_manifest(empty)
    with pytest.raises(DataError, match="no image for training;"):
        main("detector", tmp_path, tmp_path / "out")
    row = ManifestRow("missing.dcm", "one", split=Split.TRAIN)
    write_manifest(Manifest(tmp_path, (row,)))
    with pytest.raises(DataError, match=r"missing\.dcm has no label"):
        main("detector", tmp_path, tmp_path / "out")


def test_the_commands_line_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli(["train", "detector", "--manifest", str(tmp_path), "--out", str(tmp_path / "o")])
    assert code == 1
    assert "manifest.csv" in capsys.readouterr().err


class SeenError(Exception):
    """Ends a training where its crops are known."""


def test_what_a_reader_rejected_is_drawn_in_a_training(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read_manifest(phantoms)
    taught = [row for row in manifest.rows if row.split is Split.TRAIN]
    bare = next(row for row in taught if not manifest.boxes_of(row.path))
    unknown = replace(bare, label=None, reference_standard=ReferenceStandard.READER)
    held_out = [row for row in manifest.rows if row.split is not Split.TRAIN]
    rows = (*(row for row in taught if row is not bare), unknown, *held_out)
    hard = (BoxRow(bare.path, Box(200, 60, 240, 100)),)
    elsewhere = tuple(replace(row, file=str(phantoms / row.path)) for row in rows)
    write_manifest(replace(manifest, rows=elsewhere, hard=hard, folder=tmp_path))
    seen: list[CropSource] = []

    def stop(source: CropSource, *_: object, **__: object) -> None:
        seen.append(source)
        raise SeenError

    monkeypatch.setattr("ml.train.teaching.train_detector", stop)
    with pytest.raises(SeenError):
        main("detector", tmp_path, tmp_path / "out", plan=PLAN, from_scratch=True)
    (crops,) = seen
    (index,) = crops.hard
    assert crops.canvases.items[index].image_id == bare.path
    assert index not in crops.with_known_places()
