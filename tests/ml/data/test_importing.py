from __future__ import annotations

import shutil
from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest

from ml.cli import main as run_command
from ml.data.importing import FORMS, import_dataset
from ml.data.words import Options, finding_type_of, label_of_birads, published_split
from ml.errors import MammoError
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.manifest import Label, Manifest, ManifestRow, ReferenceStandard, Split, read_manifest
from tests.ml.data import trees

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREES: dict[str, Callable[[Path], None]] = {
    "cbis-ddsm": trees.write_cbis,
    "vindr-mammo": trees.write_vindr,
    "inbreast": trees.write_inbreast,
    "yolo": trees.write_yolo,
    "coco": trees.write_coco,
    "csv": trees.write_own,
}


def imported(form: str, folder: Path) -> Manifest:
    return import_dataset(form, folder, folder, Options("(P[0-9]+)_"))


def by_path(manifest: Manifest) -> dict[str, ManifestRow]:
    return {row.path: row for row in manifest.rows}


def test_cbis_ddsm(tmp_path: Path) -> None:
    trees.write_cbis(tmp_path)
    manifest = imported("cbis-ddsm", tmp_path)
    assert len(manifest.rows) == 3, "a film that is in two tables is one image"
    rows = {(row.view, row.laterality): row for row in manifest.rows}
    both, test = manifest.rows[0], rows[ViewPosition.MLO, Laterality.LEFT]
    assert "Calc-Training_P_00001_LEFT_CC" in both.path or "Mass-Training" in both.path
    assert both.label is Label.MALIGNANT
    assert both.density is BreastDensity.C
    assert both.reference_standard is ReferenceStandard.PATHOLOGY
    assert both.split in {Split.TRAIN, Split.VALIDATION}
    assert test.split is Split.TEST, "whoever is in a test table is for testing"
    boxes = {box.finding_type: box for box in manifest.boxes_of(both.path)}
    assert boxes[FindingType.MASS].box == Box(10, 20, 30, 44), "of the mask, not of the crop"
    assert boxes[FindingType.MASS].label is Label.MALIGNANT
    assert boxes[FindingType.MASS].extra["descriptor"] == "spiculated"
    assert boxes[FindingType.CALCIFICATIONS].box == Box(50, 5, 60, 9)
    assert boxes[FindingType.CALCIFICATIONS].label is Label.BENIGN
    (distortion,) = manifest.boxes_of(test.path)
    assert distortion.finding_type is FindingType.ARCHITECTURAL_DISTORTION
    assert len({row.patient_id for row in manifest.rows}) == 2


def test_cbis_ddsm_as_jpeg(tmp_path: Path) -> None:
    trees.write_cbis_jpeg(tmp_path)
    manifest = imported("cbis-ddsm", tmp_path)
    (row,) = manifest.rows
    assert row.path == "jpeg/1.3.6.2/1-100.jpg"
    assert row.split is Split.TEST
    (box,) = manifest.boxes
    assert box.box == Box(10, 20, 30, 44)


def test_a_mask_at_another_scale_is_scaled_and_a_crop_is_none(tmp_path: Path) -> None:
    from ml.data.sources.cbis_ddsm import mask_box

    trees.write_dicom(tmp_path / "half.dcm", trees.mask_of((10, 20, 30, 40)))
    assert mask_box(tmp_path / "half.dcm", (180, 120)) == Box(20, 40, 60, 80)
    trees.write_dicom(tmp_path / "crop.dcm", trees.mask_of((1, 1, 9, 9), (20, 20)))
    assert mask_box(tmp_path / "crop.dcm", trees.SHAPE) is None


def test_vindr_mammo(tmp_path: Path) -> None:
    trees.write_vindr(tmp_path)
    manifest = imported("vindr-mammo", tmp_path)
    rows = {path[-7:-6]: row for path, row in by_path(manifest).items()}
    labels = {name: row.label for name, row in rows.items()}
    assert labels == {
        "a": Label.MALIGNANT,
        "b": Label.NORMAL,
        "c": Label.BENIGN,
        "d": Label.MALIGNANT,
    }
    assert rows["a"].patient_id == rows["b"].patient_id != rows["c"].patient_id
    assert rows["c"].split is Split.TEST
    assert rows["a"].density is BreastDensity.C
    (mass,), (asymmetry,) = (manifest.boxes_of(rows[name].path) for name in "ad")
    assert mass.box == Box(20.25, 10.5, 50, 40), "rows first"
    assert mass.finding_type is FindingType.CALCIFICATIONS, "the first that is named"
    assert asymmetry.box == Box(0, 0, 90, 20), "cut to the image"
    assert asymmetry.label is Label.BENIGN, "BI-RADS 3 of the finding, not of the breast"
    assert rows["d"].extra["other_findings"] == "Skin Thickening"


def test_inbreast(tmp_path: Path) -> None:
    trees.write_inbreast(tmp_path)
    manifest = imported("inbreast", tmp_path)
    rows = [by_path(manifest)[path] for path in sorted(by_path(manifest))]
    assert [row.label for row in rows] == [Label.MALIGNANT, Label.NORMAL, Label.MALIGNANT]
    assert [row.density for row in rows] == [BreastDensity.C, None, BreastDensity.D]
    assert rows[0].patient_id == rows[1].patient_id != rows[2].patient_id
    assert all("6c613a14b80a8591" not in row.patient_id for row in rows)
    (mass,) = manifest.boxes_of(rows[0].path)
    assert mass.box == Box(20, 10, 60, 40.5)
    assert rows[0].extra["single_calcifications"] == "1"
    kinds = [box.finding_type for box in manifest.boxes_of(rows[2].path)]
    assert kinds == [FindingType.CALCIFICATIONS, FindingType.ASYMMETRY]


def test_yolo(tmp_path: Path) -> None:
    trees.write_yolo(tmp_path)
    manifest = imported("yolo", tmp_path)
    rows = by_path(manifest)
    names = ("train/images/P001_L", "train/images/P001_R", "val/images/P002_L")
    left, right, other = (rows[f"{name}.png"] for name in names)
    assert left.patient_id == right.patient_id != other.patient_id
    assert [left.label, right.label, other.label] == [Label.MALIGNANT, *[Label.NORMAL] * 2]
    assert other.split is Split.VALIDATION
    box, polygon = manifest.boxes_of(left.path)
    assert astuple(box.box) == pytest.approx((27, 24, 63, 36))
    assert (box.finding_type, box.label) == (FindingType.MASS, Label.MALIGNANT)
    assert astuple(polygon.box) == pytest.approx((9, 6, 18, 18))
    assert (polygon.finding_type, polygon.label) == (FindingType.CALCIFICATIONS, None)


def test_coco(tmp_path: Path) -> None:
    trees.write_coco(tmp_path)
    manifest = imported("coco", tmp_path)
    rows = by_path(manifest)
    assert rows["images/a.png"].label is Label.BENIGN
    assert rows["images/b.png"].label is Label.NORMAL
    assert {row.split for row in manifest.rows} == {Split.TEST}
    (box,) = manifest.boxes
    assert box.box == Box(10, 5, 40, 25)
    assert box.finding_type is FindingType.CALCIFICATIONS


def test_a_plain_folder_with_a_table(tmp_path: Path) -> None:
    trees.write_own(tmp_path)
    rows = by_path(manifest := imported("csv", tmp_path))
    a, b, c = (rows[f"files/{name}.dcm"] for name in "abc")
    assert a.patient_id == b.patient_id != c.patient_id, "from the DICOM header"
    assert "Jane" not in a.patient_id
    assert [a.label, b.label] == [Label.MALIGNANT, Label.NORMAL]
    assert [a.density, c.density] == [BreastDensity.B, None]
    assert c.view is ViewPosition.MLO
    assert [box.box for box in manifest.boxes] == [Box(20, 10, 40, 30), Box(2, 1, 4, 3)]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_a_manifest_that_names_its_images(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "collection"
    folder.mkdir()
    TREES[form](folder)
    command = ["import-dataset", form, str(folder), "--out", str(tmp_path)]
    assert run_command([*command, "--patient", "(P[0-9]+)_"]) == 0
    manifest = read_manifest(tmp_path)
    assert manifest.rows
    assert all((tmp_path / row.path).is_file() for row in manifest.rows)
    assert all(row.path.startswith("collection/") for row in manifest.rows)
    assert f"{len(manifest.rows)} images" in capsys.readouterr().out
    text = (tmp_path / "manifest.csv").read_text()
    assert "Doe" not in text, "no name reaches the manifest"


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_of_another_form_is_refused_in_one_sentence(form: str, tmp_path: Path) -> None:
    with pytest.raises(MammoError) as refused:
        imported(form, tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_image_is_named(form: str, tmp_path: Path) -> None:
    TREES[form](tmp_path)
    gone = imported(form, tmp_path).rows[0].path
    if form == "yolo":
        shutil.rmtree((tmp_path / gone).parent)
    else:
        (tmp_path / gone).unlink()
    with pytest.raises(MammoError, match=r"not in that folder|no folder here"):
        imported(form, tmp_path)


def test_damaged_tables_are_told(tmp_path: Path) -> None:
    for number, (form, name, text, said) in enumerate(
        (
            ("vindr-mammo", "finding_annotations.csv", "image_id\na\n", "lacks the column"),
            ("inbreast", "AllXML/20586908.xml", "<plist>", "holds no regions"),
            ("yolo", "train/labels/P001_L.txt", "9 0.1 0.1 0.1 0.1", "no box of a class"),
            ("yolo", "data.yaml", "names: [", "no YAML"),
            ("coco", "annotations/instances_test.json", "{", "no JSON"),
            ("csv", "labels.csv", "a,b\n1,2\n", "lacks the column"),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        TREES[form](folder)
        (folder / name).write_text(text)
        with pytest.raises(MammoError, match=said):
            imported(form, folder)


def test_a_manifest_away_from_its_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    with pytest.raises(MammoError, match="relative to itself"):
        import_dataset("csv", tmp_path / "in", tmp_path / "out", Options())


def test_nobody_guesses_whose_images_they_are(tmp_path: Path) -> None:
    trees.write_yolo(tmp_path)
    for pattern, said in (("", "--patient"), ("(Q)", "finds no patient"), ("(", "no pattern")):
        with pytest.raises(MammoError, match=said):
            import_dataset("yolo", tmp_path, tmp_path, Options(pattern))


def test_a_patient_in_two_parts_is_refused(tmp_path: Path) -> None:
    trees.write_yolo(tmp_path)
    with pytest.raises(MammoError, match="two parts"):
        import_dataset("yolo", tmp_path, tmp_path, Options("(P00)"))


def test_words() -> None:
    assert finding_type_of("Suspicious Lymph Node") is None
    assert finding_type_of("FOCAL_ASYMMETRIC_DENSITY") is FindingType.ASYMMETRY
    assert finding_type_of("Espiculated Region") is None
    assert [label_of_birads(word) for word in ("BI-RADS 0", "4c", "")] == [
        None,
        Label.MALIGNANT,
        None,
    ]
    parts = [published_split("training", f"patient-{n}") for n in range(400)]
    assert {Split.TRAIN, Split.VALIDATION} == set(parts)
    assert parts.count(Split.VALIDATION) < 120
