"""INbreast as released: ``INbreast.csv`` with semicolons, ``AllDICOMs`` and ``AllXML``.

The table's patients are removed; a file's name carries the patient's code:
``20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm``. Regions are property lists of OsiriX. Boxes are
those of masses, clusters, distortions and asymmetries; single calcifications, of which an
image may have hundreds, are counted, and spiculated regions belong to the mass in them.
"""

from __future__ import annotations

import plistlib
import re
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from ml.data.words import (
    box_within,
    density_of,
    finding_type_of,
    label_of_birads,
    laterality_of,
    read_table,
    view_of,
)
from ml.errors import DataError
from ml.hashed import hashed_patient
from ml.mammo.codes import FindingType
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, ReferenceStandard, Source
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.geometry import Box

TABLE = "INbreast.csv"
REQUIRED = ("Laterality", "View", "File Name", "ACR", "Bi-Rads")
PAIR = re.compile(r"\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\)")


def inbreast(folder: Path) -> Manifest:
    """The images and the boxes of their regions.

    Raises
    ------
    DataError
        It is not that collection, or an image that the table names is missing.
    """
    if not (folder / TABLE).exists() and (folder / "INbreast.xls").exists():
        raise DataError(
            mark("Save INbreast.xls as INbreast.csv, with semicolons, beside it first.")
        )
    if not (folder / "AllXML").is_dir():
        raise DataError(mark("There is no {table} in that folder."), table="AllXML")
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for row in read_table(folder / TABLE, REQUIRED, ";"):
        # The released table ends with rows of remarks.
        if not row["File Name"].isdigit():
            continue
        path = _image_path(folder, row["File Name"])
        label = label_of_birads(row["Bi-Rads"])
        regions = _regions(folder / "AllXML" / f"{row['File Name']}.xml")
        single = 0
        for name, points in regions:
            kind = finding_type_of(name)
            if kind is FindingType.CALCIFICATIONS and "luster" not in name:
                single += 1
            elif kind and (box := _box_of(points)):
                extra = {"descriptor": name}
                boxes.append(BoxRow(path, box, kind, label, extra=extra))
        images.append(_image(path, row, label, single))
    return Manifest(folder, tuple(images), tuple(boxes))


def _image_path(folder: Path, name: str) -> str:
    found = sorted((folder / "AllDICOMs").glob(f"{name}_*.dcm"))
    if not found:
        raise DataError(
            mark("The image {path} that a table names is not in that folder."), path=name
        )
    return found[0].relative_to(folder).as_posix()


def _image(path: str, row: dict[str, str], label: Label | None, single: int) -> ManifestRow:
    return ManifestRow(
        path=path,
        patient_id=hashed_patient("inbreast", path.split("/")[-1].split("_")[1]),
        laterality=laterality_of(row["Laterality"]),
        view=view_of(row["View"]),
        label=label,
        source=Source.REAL,
        density=density_of(row["ACR"]),
        reference_standard=ReferenceStandard.READER,
        extra={
            "collection": "INbreast",
            "birads": row["Bi-Rads"],
            "single_calcifications": str(single) if single else "",
        },
    )


Points = list[tuple[float, float]]


def _regions(path: Path) -> list[tuple[str, Points]]:
    """Names and outlines (row, column) of an image's regions; none where it has no file."""
    try:
        document: Any = plistlib.loads(path.read_bytes())
        regions = document["Images"][0]["ROIs"]
        return [(str(region.get("Name", "")), _points(region)) for region in regions]
    except FileNotFoundError:
        return []
    except (ExpatError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise DataError(mark("{path} holds no regions."), path=path.name) from error


def _points(region: dict[str, Any]) -> Points:
    pairs = [PAIR.fullmatch(str(text).strip()) for text in region.get("Point_px", ())]
    return [(float(pair[2]), float(pair[1])) for pair in pairs if pair]


def _box_of(points: Points) -> Box | None:
    if len(points) < 3:
        return None
    rows, columns = zip(*points, strict=True)
    return box_within((min(rows), min(columns), max(rows), max(columns)))
