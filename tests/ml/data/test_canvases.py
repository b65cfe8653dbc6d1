from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.data.canvases import (
    JOURNAL,
    NOTED,
    Order,
    begun,
    item_from_json,
    item_to_json,
    on_fine,
    only_calcifications,
    only_seen,
    read_canvases,
    write_canvases,
    write_order,
)
from ml.data.sources.listed import listed_canvases
from ml.data.sources.mini_mias import MISPLACED, mini_mias_canvases
from ml.data.sources.phantoms import PhantomSet, phantom_canvases, phantom_pairs
from ml.errors import DataError
from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from ml.mammo.prepare import FineCanvas, PrepareSpec, Wants
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, ReferenceStandard, Split
from ml.phantom.dataset import write_phantoms
from ml.splits import fold_of, patient_fold, stratified_folds
from tests.factories.truths import make_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem, Pair

SPEC = PrepareSpec(rows=256, columns=160, pixel_mm=0.8)
FINE = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)
FILMS = Path(__file__).resolve().parents[4] / "shared" / "data" / "mini_mias"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = list(phantom_canvases(PhantomSet(50, 4, pixel_mm=0.4), SPEC))
    write_canvases(tmp_path, iter(made), 9, SPEC)
    seen = read_canvases(tmp_path)
    assert seen.spec == SPEC
    assert seen.items == tuple(item for _, item in made)
    for (pixels, item), (again, same) in zip(made, seen.images(), strict=True):
        assert np.array_equal(pixels, again)
        assert item == same
    assert [item for _, item in seen.images([2])] == [made[2][1]]


def test_both_canvases_are_written_and_read(tmp_path: Path) -> None:
    fine_spec = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)
    sets = [
        PhantomSet(seed, 4, pixel_mm=size, lesion_rate=1.0, most_lesions=4)
        for seed, size in ((50, 0.4), (60, 0.8))
    ]
    wants = Wants(SPEC, (), fine_spec)
    made = [pair for phantoms in sets for pair in phantom_pairs(phantoms, wants)]
    write_order(tmp_path, iter(made), Order(9, SPEC, fine_spec))
    seen = read_canvases(tmp_path)
    assert [fine is None for _, fine, _ in seen.pairs()] == [False] * 4 + [True] * 4
    for (pixels, fine, item), (again, other, same) in zip(made, seen.pairs(), strict=True):
        assert np.array_equal(pixels, again)
        assert item == same
        if fine is not None and other is not None:
            assert np.array_equal(fine.pixels, other.pixels)
            assert (fine.row_scale, fine.column_scale) == (other.row_scale, other.column_scale)
    sharp, there = seen.calcifications()
    assert there == (0, 1, 2, 3)
    kept = [kind for item in sharp.items[:4] for kind in item.finding_types]
    everything = [kind for item in seen.items[:4] for kind in item.finding_types]
    assert set(kept) == {FindingType.CALCIFICATIONS} < set(everything)
    assert len(kept) == everything.count(FindingType.CALCIFICATIONS)


def numbered(count: int) -> Iterator[Pair]:
    """Images that are their number, with a finer canvas of every second one."""
    for number in range(count):
        whole = np.full((SPEC.rows, SPEC.columns), number, np.uint16)
        fine = None
        if number % 2:
            fine = FineCanvas(np.full((FINE.rows, FINE.columns), number, np.uint16), 0.5, 0.25)
        yield whole, fine, make_item(str(number))


@pytest.mark.parametrize("fine", [None, FINE])
def test_an_interrupted_writing_goes_on_where_it_was(
    tmp_path: Path, fine: PrepareSpec | None
) -> None:
    order, count = Order(50, SPEC, fine, "these"), 45
    pairs = [pair if fine else (pair[0], None, pair[2]) for pair in numbered(count)]
    write_order(tmp_path / "whole", iter(pairs), order)

    def some(first: int, end: int) -> Iterator[Pair]:
        yield from pairs[first:end]
        raise KeyboardInterrupt

    folder, begins = tmp_path / "parts", [0]
    for end in (NOTED - 1, 2 * NOTED + 3, 2 * NOTED + 3):
        with pytest.raises(KeyboardInterrupt):
            write_order(folder, some(begins[-1], end), order, begins[-1])
        begins.append(begun(folder, order))
    assert begins == [0, 0, 2 * NOTED, 2 * NOTED]
    assert not (folder / "canvases.json").exists()
    # Interrupted while a line was written.
    with (folder / JOURNAL).open("a") as journal:
        journal.write('{"item": {"patient')
    assert begun(folder, order) == begins[-1]
    # What was asked for is another thing.
    for other in (
        replace(order, images="those"),
        replace(order, count=51),
        replace(order, spec=FINE),
        replace(order, fine=None if fine else FINE),
    ):
        assert begun(folder, other) == 0
    write_order(folder, iter(pairs[begins[-1] :]), order, begins[-1])
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert begun(folder, order) == 0
    with pytest.raises(ValueError, match="cannot be there"):
        write_order(folder, iter(()), order, 3)


def test_what_nobody_sees_is_left_out() -> None:
    (_, item), *_ = phantom_canvases(
        PhantomSet(50, 1, pixel_mm=0.8, lesion_rate=1.0, most_lesions=4), SPEC
    )
    ranked = sorted(item.detectability)
    assert len(ranked) > 1
    seen = only_seen(item, ranked[-1])
    assert seen.detectability == (ranked[-1],)
    assert len(seen.boxes) == len(seen.finding_types) == len(seen.descriptors) == 1
    assert only_seen(item, 0.0) is item
    none = only_seen(item, ranked[-1] + 1)
    assert (none.lesion, none.malignant, none.boxes) == (False, None, ())


def test_a_box_covers_the_same_tissue_on_both_canvases() -> None:
    fine_spec = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)
    wants = Wants(SPEC, (), fine_spec)
    phantoms = PhantomSet(50, 2, pixel_mm=0.4, lesion_rate=1.0)
    for pixels, fine, item in phantom_pairs(phantoms, wants):
        assert fine is not None
        for coarse, sharp in zip(item.box_values(), on_fine(item, fine).boxes, strict=True):
            size = (round(coarse.row1 - coarse.row0), round(coarse.col1 - coarse.col0))
            small = _piece(pixels, (coarse.row0, coarse.col0, coarse.row1, coarse.col1), size)
            # Each canvas has its own black and white, so the tissue is compared but for them.
            same = np.corrcoef(small.ravel(), _piece(fine.pixels, sharp, size).ravel())[0, 1]
            assert same > 0.95


def _piece(
    pixels: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]
) -> np.ndarray:
    """A box's pixels, as so many rows and columns."""
    rows, columns = size
    place = np.meshgrid(
        np.linspace(box[1], box[3], columns, endpoint=False) + (box[3] - box[1]) / columns / 2,
        np.linspace(box[0], box[2], rows, endpoint=False) + (box[2] - box[0]) / rows / 2,
    )
    across, down = (axis.astype(np.float32) - 0.5 for axis in place)
    return cv2.remap(pixels.astype(np.float32), across, down, cv2.INTER_LINEAR)


def test_a_patient_stays_in_her_fold() -> None:
    folds = [patient_fold(f"patient-{number}") for number in range(1000)]
    assert folds == [patient_fold(f"patient-{number}") for number in range(1000)]
    assert {patient_fold("mias001"), patient_fold("mias002")} <= set(range(5))
    assert min(np.bincount(folds, minlength=5)) > 150


def test_women_of_far_apart_seeds_are_others() -> None:
    sets = (PhantomSet(seed, 6, pixel_mm=0.5) for seed in (0, 1000))
    one, other = ({item.patient_id for _, item in phantom_canvases(p, SPEC)} for p in sets)
    assert len(one) == len(other) == 3, "two views a woman"
    assert not one & other


def test_a_listed_phantom_prepares_as_the_phantom_itself(tmp_path: Path) -> None:
    """Written, read again and prepared: boxes lie on the same canvas as without a file."""
    manifest = write_phantoms(tmp_path, 3, 4, pixel_mm=0.4)
    for pixels, item in listed_canvases(manifest, manifest.rows, SPEC):
        row = next(row for row in manifest.rows if row.path == item.image_id)
        assert item.lesion is (row.label is not Label.NORMAL)
        assert len(item.boxes) == len(manifest.boxes_of(row.path))
        check_boxes(pixels, item)


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for row, said in (
        (ManifestRow("a.dcm", "one"), "a.dcm has no label"),
        (
            ManifestRow("b.dcm", "one", label=Label.NORMAL),
            "b.dcm in the manifest cannot",
        ),
    ):
        with pytest.raises(DataError, match=said):
            list(listed_canvases(Manifest(tmp_path, (row,)), [row], SPEC))


def test_a_readers_word_is_listed_without_a_label(tmp_path: Path) -> None:
    """Boxes are lesions of unknown nature; an image without any is neither normal nor not."""
    manifest = write_phantoms(tmp_path, 1, 4, pixel_mm=0.4)
    said = {
        "label": None,
        "reference_standard": ReferenceStandard.READER,
        "split": Split.TRAIN,
        "file": "",
    }
    rows = tuple(replace(row, **said) for row in manifest.rows[:2])
    one, two = (row.path for row in rows)
    marks = (BoxRow(one, Box(100, 60, 140, 90), FindingType.MASS),)
    wrong = (BoxRow(two, Box(200, 60, 240, 100)), BoxRow(two, Box(0, 0, 9, 9), frame=7))
    told = Manifest(manifest.folder, rows, marks, wrong)
    boxed, rejected = (item for _, item in listed_canvases(told, rows, SPEC))
    assert (boxed.lesion, boxed.unknown, boxed.malignant) == (True, False, None)
    assert boxed.malignant_boxes == ()
    assert (rejected.lesion, rejected.unknown, rejected.free) == (False, True, False)
    assert len(rejected.hard) == 1, "on another frame than the one that is looked at"
    assert item_from_json(json.loads(json.dumps(item_to_json(rejected)))) == rejected
    held_out = replace(rows[0], split=Split.TEST)
    with pytest.raises(DataError, match="has no label"):
        list(listed_canvases(told, [held_out], SPEC))


def test_rejected_places_move_to_the_finer_canvas_and_onto_pieces() -> None:
    item = replace(make_item(), hard=((100.0, 50.0),), unknown=True)
    fine = FineCanvas(np.zeros((4, 4), np.uint16), 0.5, 0.25)
    assert on_fine(item, fine).hard == ((200.0, 200.0),)
    assert only_calcifications(item) == item


def check_boxes(pixels: NDArray[np.uint16], item: CanvasItem) -> None:
    for row0, col0, row1, col1 in item.boxes:
        assert 0 <= row0 < row1 <= SPEC.rows
        assert 0 <= col0 < col1 <= SPEC.columns
        inside = pixels[int(row0) : int(row1) + 1, int(col0) : int(col1) + 1]
        assert (inside > 0).mean() > 0.8, f"{item.image_id}: a box in the air"


@pytest.mark.skipif(not FILMS.exists(), reason="mini-MIAS is not on this machine")
def test_mini_mias() -> None:
    films = list(mini_mias_canvases(FILMS, SPEC))
    names = {item.image_id for _, item in films}
    assert len(films) == len(names)
    assert not names & MISPLACED
    assert len({item.patient_id for _, item in films}) > 100
    abnormal = [item for _, item in films if item.lesion]
    assert 80 < len(abnormal) < 130
    at_the_left = 0
    for pixels, item in films:
        check_boxes(pixels, item)
        left, right = np.hsplit(pixels > 0, 2)
        at_the_left += int(left.sum() > right.sum())
    assert at_the_left / len(films) > 0.97, "the muscle is cut out of some"


def test_several_processes_draw_the_same_images_in_the_same_order() -> None:
    phantoms = PhantomSet(70, 6, pixel_mm=0.5)
    alone = list(phantom_canvases(phantoms, SPEC))
    together = list(phantom_canvases(phantoms, SPEC, processes=2))
    assert [item for _, item in alone] == [item for _, item in together]
    for (one, _), (other, _) in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_seeds_share_patients_out_anew_and_none_is_in_two_folds() -> None:
    patients = [f"patient-{number}" for number in range(600)]
    first, again, other = (
        {name: fold_of(name, 5, seed) for name in patients} for seed in (1, 1, 2)
    )
    assert first == again
    assert sum(first[name] == other[name] for name in patients) < 200
    assert all(fold_of(name, 5) == patient_fold(name) for name in patients)
    # Whoever else is in the set: a fold needs no other patient.
    assert {name: fold_of(name, 5, 1) for name in patients[::-1]} == first


def test_stratified_folds_hold_each_label_evenly() -> None:
    labels = {f"patient-{n}": ("malignant" if n % 7 == 0 else "normal") for n in range(151)}
    folds = stratified_folds(labels, 5, 3)
    assert folds.keys() == labels.keys(), "each patient is in one fold"
    assert folds == stratified_folds(dict(reversed(labels.items())), 5, 3)
    for word in ("malignant", "normal"):
        counts = np.bincount([folds[p] for p, said in labels.items() if said == word])
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(list(folds.values()))
    assert sizes.max() - sizes.min() <= 1
