"""Two packs on one test part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ml.errors import DataError
from ml.evaluate import gate
from ml.evaluate.gate import Margins, Standing
from ml.evaluate.versus import compare_packs, part_of, rows_for_testing
from ml.hashed import name_sha256, own_patient
from ml.manifest import (
    Manifest,
    ManifestRow,
    Source,
    Split,
    read_manifest,
    write_manifest,
)
from ml.phantom.dataset import write_phantoms
from ml.registry import read_pack
from ml.splits import split_of
from tests.factories.packs import make_packs, rewrite_card

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four women: two to train, two to test."""
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 4, 4, pixel_mm=0.5)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    rows = tuple(
        replace(row, split=Split.TEST if women.index(row.patient_id) % 2 else Split.TRAIN)
        for row in manifest.rows
    )
    write_manifest(replace(manifest, rows=rows))
    return folder


@pytest.mark.parametrize("role", ["detector", "classifier"])
def test_a_model_is_not_worse_than_itself(
    phantoms: Path, tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    monkeypatch.setattr(gate, "DRAWS", 50)
    monkeypatch.setattr(gate, "LEAST_BEYOND", 1)
    packs = {name: read_pack(folder) for name, folder in make_packs(tmp_path).items()}
    others = {name: pack for name, pack in packs.items() if name != role}
    manifest = read_manifest(phantoms)
    compared = compare_packs(packs[role], packs[role], manifest, others, Margins())
    assert len(compared) == 2
    for one in compared:
        assert one.live == one.new or one.live != one.live
        assert one.standing in (Standing.NOT_WORSE, Standing.TOO_FEW)
    with pytest.raises(ValueError, match="two roles"):
        compare_packs(packs["detector"], packs["classifier"], manifest, {}, Margins())


def test_each_is_asked_at_its_own_first_operating_point_and_neither_for_the_other(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    monkeypatch.setattr(gate, "DRAWS", 50)
    monkeypatch.setattr(gate, "LEAST_BEYOND", 1)
    points = [{"name": "p", "threshold": at, "chosen_on": "nothing"} for at in (0.0, 1.0)]
    packs = []
    for name, order in (("eager", points), ("silent", points[::-1])):
        folder = make_packs(tmp_path / name)["classifier"]
        rewrite_card(folder, operating_points=order)
        packs.append(read_pack(folder))
    others = {"detector": read_pack(make_packs(tmp_path / "beside")["detector"])}
    manifest = read_manifest(phantoms)
    ill, well = compare_packs(packs[0], packs[1], manifest, others, Margins())
    assert (ill.new, ill.live) == (1, 0)
    assert (well.new, well.live) == (0, 1)
    ill, well = compare_packs(packs[1], packs[0], manifest, others, Margins())
    assert (ill.new, ill.live) == (0, 1)
    assert well.gain.value == 1


@pytest.mark.parametrize("hashed", [name_sha256, lambda name: name_sha256(own_patient(name))])
@pytest.mark.parametrize("who", ["new", "in use", "beside", "parent"])
def test_a_model_that_knows_a_test_woman_is_refused(
    phantoms: Path, tmp_path: Path, who: str, hashed: Callable[[str], str]
) -> None:
    """Whichever of the models it is, and by whichever of her names."""
    manifest = read_manifest(phantoms)
    woman = rows_for_testing(manifest)[0].patient_id
    folders = {one: make_packs(tmp_path / one) for one in ("new", "in use", "parent")}
    places = {one: folder["classifier"] for one, folder in folders.items()}
    places["beside"] = folders["new"]["detector"]
    rewrite_card(places["parent"], name="taught-before")
    weights = {"lesion": 0.5}
    rewrite_card(places["in use"], parents=["taught-before@0.1.0"], mark_weights=weights)
    rewrite_card(places[who], training_patients=[hashed(woman)])
    packs = {one: read_pack(place) for one, place in places.items()}
    beside = {"detector": packs["beside"], "parent": packs["parent"]}
    with pytest.raises(DataError, match="was trained on a patient"):
        compare_packs(packs["new"], packs["in use"], manifest, beside, Margins())


def test_real_rows_decide_where_there_are_any(phantoms: Path) -> None:
    manifest = read_manifest(phantoms)
    assert {row.source for row in rows_for_testing(manifest)} == {Source.PHANTOM}
    first = rows_for_testing(manifest)[0].path
    rows = tuple(
        replace(row, source=Source.REAL) if row.path == first else row for row in manifest.rows
    )
    assert [row.path for row in rows_for_testing(replace(manifest, rows=rows))] == [first]
    made = tuple(replace(row, source=Source.GENERATED) for row in manifest.rows)
    with pytest.raises(DataError, match="generated image"):
        rows_for_testing(replace(manifest, rows=made))
    taught = tuple(replace(row, split=Split.TRAIN) for row in manifest.rows)
    with pytest.raises(DataError, match="no row for testing"):
        rows_for_testing(replace(manifest, rows=taught))


def test_where_no_split_is_said_those_decide_whom_no_training_takes() -> None:
    rows = tuple(ManifestRow(name, name, source=Source.REAL) for name in map(str, range(40)))
    decide = rows_for_testing(Manifest(Path(), rows))
    assert 2 < len(decide) < 16
    assert {split_of(row) for row in decide} == {Split.TEST}


def test_a_test_part_is_known_by_its_patients(phantoms: Path) -> None:
    rows = rows_for_testing(read_manifest(phantoms))
    moved = [replace(row, path=f"elsewhere/{row.path}") for row in rows[::-1]]
    assert part_of(rows) == part_of(moved)
    assert part_of(rows).patients >= {name_sha256(row.patient_id) for row in rows}
    merged = [replace(row, patient_id=own_patient(row.patient_id)) for row in rows]
    assert part_of(rows).patients > part_of(merged).patients, "as a merger calls them"
    others = [row for row in rows if row.patient_id != rows[0].patient_id]
    assert part_of(rows).sha256 != part_of(others).sha256
    assert part_of(rows).patients > part_of(others).patients
