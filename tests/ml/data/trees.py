"""Small folders of exactly the form in which collections are published."""

from __future__ import annotations

import json
import plistlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from pathlib import Path

Corners = tuple[int, int, int, int]
SHAPE = (90, 60)
MASS_HEAD = (
    "patient_id,breast_density,left or right breast,image view,abnormality id,"
    "abnormality type,mass shape,mass margins,assessment,pathology,subtlety,"
    "image file path,cropped image file path,ROI mask file path\n"
)
CALC_HEAD = (
    "patient_id,breast density,left or right breast,image view,abnormality id,"
    "abnormality type,calc type,calc distribution,assessment,pathology,subtlety,"
    "image file path,cropped image file path,ROI mask file path\n"
)
FINDINGS_HEAD = (
    "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,"
    "breast_density,finding_categories,finding_birads,xmin,ymin,xmax,ymax,split\n"
)
BREASTS_HEAD = (
    "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,"
    "breast_density,split\n"
)


def write_dicom(path: Path, pixels: np.ndarray, patient: str = "Doe^Jane") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID = meta.MediaStorageSOPClassUID
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.PatientID, image.PatientName = patient, "Doe^Jane"
    image.Rows, image.Columns = pixels.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.PixelData = pixels.astype(np.uint8).tobytes()
    image.save_as(path, enforce_file_format=True)


def mask_of(box: tuple[int, int, int, int], shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[box[0] : box[2], box[1] : box[3]] = 255
    return mask


def write_cbis(folder: Path) -> None:
    """P_00001: a film with a mass and calcifications. P_00002: in training and in test."""
    film = "{kind}_P_0000{who}_LEFT_{view}/1.3.6.1/1.3.6.2/000000.dcm"
    roi = "{kind}_P_0000{who}_LEFT_{view}_1/1.3.6.3/1.3.6.4/00000{n}.dcm"

    def row(
        kind: str,
        who: int,
        view: str,
        middle: str,
        pathology: str,
        box: tuple[int, int, int, int],
    ) -> str:
        given = {"kind": kind, "who": who, "view": view}
        # The downloader names folders and files otherwise than the tables do.
        top = folder / "CBIS-DDSM"
        place = top / f"{kind}_P_0000{who}_LEFT_{view}"
        write_dicom(place / "10-04-2016-DDSM-1" / "1-full" / "1-1.dcm", np.zeros(SHAPE))
        crop, mask = ("1-1.dcm", "1-2.dcm") if who == 1 else ("1-2.dcm", "1-1.dcm")
        region = top / f"{place.name}_1" / "10-04-2016-DDSM-2" / "1-ROI"
        write_dicom(region / mask, mask_of(box))
        write_dicom(region / crop, np.full((20, 20), 200))
        cells = (film.format(**given), roi.format(**given, n=0), roi.format(**given, n=1))
        # Some of the published cells end in a line break.
        rois = ",".join(f'"{cell}\n"' for cell in cells[1:])
        head = f"P_0000{who},3,LEFT,{view},1,{middle},4,{pathology},5"
        return f"{head},{cells[0]},{rois}\n"

    mass = "mass,IRREGULAR,SPICULATED"
    calc = "calcification,PLEOMORPHIC,CLUSTERED"
    distortion = "mass,ARCHITECTURAL_DISTORTION,ILL_DEFINED"
    tables = {
        "mass_case_description_train_set.csv": MASS_HEAD
        + row("Mass-Training", 1, "CC", mass, "MALIGNANT", (10, 20, 30, 44))
        + row("Mass-Training", 2, "MLO", distortion, "BENIGN", (1, 2, 9, 8)),
        "calc_case_description_train_set.csv": CALC_HEAD
        + row("Calc-Training", 1, "CC", calc, "BENIGN_WITHOUT_CALLBACK", (50, 5, 60, 9)),
        "mass_case_description_test_set.csv": MASS_HEAD,
        "calc_case_description_test_set.csv": CALC_HEAD
        + row("Calc-Test", 2, "CC", calc, "BENIGN", (5, 5, 15, 25)),
    }
    for name, text in tables.items():
        (folder / name).write_text(text)


def write_cbis_jpeg(folder: Path) -> None:
    """The JPEG copy: `csv` and `jpeg/<series UID>`."""
    for series, files in {
        "1.3.6.2": {"1-100.jpg": np.zeros(SHAPE, np.uint8)},
        "1.3.6.4": {
            "1-200.jpg": np.full((20, 20), 90, np.uint8),
            "2-201.jpg": mask_of((10, 20, 30, 44)),
        },
    }.items():
        (folder / "jpeg" / series).mkdir(parents=True)
        for name, pixels in files.items():
            Image.fromarray(pixels).save(folder / "jpeg" / series / name, quality=95)
    (folder / "csv").mkdir()
    name = "Mass-Test_P_00016_LEFT_CC"
    (folder / "csv" / "mass_case_description_test_set.csv").write_text(
        f"{MASS_HEAD}P_00016,4,LEFT,CC,1,mass,OVAL,OBSCURED,4,MALIGNANT,5,"
        f"{name}/1.3.6.1/1.3.6.2/000000.dcm,{name}_1/1.3.6.3/1.3.6.4/000001.dcm,"
        f"{name}_1/1.3.6.3/1.3.6.4/000000.dcm\n"
    )


def write_vindr(folder: Path) -> None:
    """Two studies of two images; skin thickening is no lesion of ours."""
    breasts, findings = BREASTS_HEAD, FINDINGS_HEAD
    both = "['Suspicious Calcification', 'Mass']"
    for study, image, side, birads, found, part in (
        (
            "s1",
            "a",
            "L",
            4,
            [both, "4,10.5,20.25,40,50"],
            "training",
        ),
        ("s1", "b", "R", 1, ["['No Finding']", ",,,,"], "training"),
        ("s2", "c", "L", 2, ["['No Finding']", ",,,,"], "test"),
        ("s2", "d", "R", 5, ["['Skin Thickening']", "5,-3,0,20,20"], "test"),
        ("s2", "d", "R", 5, ["['Focal Asymmetry']", "3,-3,0,20,2000"], "test"),
    ):
        path = folder / "images" / study / f"{image}.dicom"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        head = f"{study},x,{image},{side},CC,90,60,BI-RADS {birads},DENSITY C"
        grade, rest = found[1].split(",", 1)
        words = f'"{found[0]}",{f"BI-RADS {grade}" if grade else ""},{rest}'
        findings += f"{head},{words},{part}\n"
        if f",{image}," not in breasts:
            breasts += f"{head},{part}\n"
    (folder / "breast-level_annotations.csv").write_text(breasts)
    (folder / "finding_annotations.csv").write_text(findings)


def write_inbreast(folder: Path) -> None:
    lines = ["Patient ID;Patient age;Laterality;View;Acquisition date;File Name;ACR;Bi-Rads"]
    for name, patient, side, acr, birads in (
        ("20586908", "6c613a14b80a8591", "R", "3 ", "6"),
        ("20586934", "6c613a14b80a8591", "L", "     ", "1"),
        ("20586960", "8d0b9620c53c0268", "L", "4", "4a"),
    ):
        lines.append(f"removed;removed;{side};CC;201001;{name};{acr};{birads}")
        write_dicom(
            folder / "AllDICOMs" / f"{name}_{patient}_MG_{side}_CC_ANON.dcm", np.zeros(SHAPE)
        )
    lines.append(";;;;;;;")
    (folder / "INbreast.csv").write_text("\n".join(lines) + "\n")
    (folder / "AllXML").mkdir()
    square = [(10.0, 20.0), (40.5, 20.0), (40.5, 60.0), (10.0, 60.0)]
    for name, regions in {
        "20586908": [
            ("Mass", square),
            ("Calcification", [(5.0, 6.0)]),
            ("Spiculated Region", square),
        ],
        "20586960": [("Cluster", square), ("Assymetry", square), ("Calcifications", square)],
    }.items():
        rois = [
            {
                "Name": said,
                "NumberOfPoints": len(points),
                "Point_px": [f"({x:f}, {y:f})" for x, y in points],
            }
            for said, points in regions
        ]
        image = {"ImageIndex": 0, "NumberOfROIs": len(rois), "ROIs": rois}
        (folder / "AllXML" / f"{name}.xml").write_bytes(plistlib.dumps({"Images": [image]}))


def write_yolo(folder: Path) -> None:
    for part in ("train", "val"):
        (folder / part / "images").mkdir(parents=True)
        (folder / part / "labels").mkdir()
    for part, name, text in (
        ("train", "P001_L.png", "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.3 0.1 0.3 0.2\n"),
        ("train", "P001_R.png", ""),
        ("val", "P002_L.png", None),
    ):
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / part / "images" / name)
        if text is not None:
            (folder / part / "labels" / f"{name[:-4]}.txt").write_text(text)
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../val/images\nnc: 2\n"
        "names: [calcification, malignant_mass]\n"
    )


def write_coco(folder: Path) -> None:
    (folder / "annotations").mkdir()
    (folder / "images").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "images" / name)
    size = {"height": 90, "width": 60}
    document = {
        "images": [
            {"id": 7, "file_name": "a.png", "patient_id": "Jane", **size},
            {"id": 8, "file_name": "b.png", "patient_id": "June", **size},
        ],
        "categories": [{"id": 3, "name": "benign calcifications"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [5, 10, 20, 30]}],
    }
    (folder / "annotations" / "instances_test.json").write_text(json.dumps(document))


def write_own(folder: Path) -> None:
    for name, patient in (("a.dcm", "Jane"), ("b.dcm", "Jane"), ("c.dcm", "June")):
        write_dicom(folder / "files" / name, np.zeros(SHAPE), patient)
    (folder / "labels.csv").write_text(
        "file,laterality,view,label,density,x0,y0,x1,y1,lesion_class\n"
        "files/a.dcm,L,CC,malignant,B,10,20,30,40,SPIC\n"
        "files/a.dcm,L,CC,benign,B,1,2,3,4,CALC\n"
        "files/b.dcm,R,CC,normal,B,,,,,\n"
        "files/c,R,MLO,normal,fatty-glandular,,,,,\n"
    )
