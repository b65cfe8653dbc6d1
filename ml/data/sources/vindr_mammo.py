"""VinDr-Mammo as PhysioNet publishes it: two tables and ``images/<study>/<image>.dicom``.

No patient is named: a study is a woman. Only findings of BI-RADS 3 and above have boxes, so a
breast of BI-RADS 2 is benign without any. Findings of the skin, the nipple and the lymph nodes
are kept as words, not as boxes of lesions.
"""

from __future__ import annotations

import ast
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from ml.data.words import (
    box_within,
    density_of,
    finding_type_of,
    label_of_birads,
    laterality_of,
    number,
    published_split,
    read_table,
    view_of,
)
from ml.errors import DataError
from ml.hashed import hashed_patient
from ml.manifest import BoxRow, Manifest, ManifestRow, ReferenceStandard, Source
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

BREASTS, FINDINGS = "breast-level_annotations.csv", "finding_annotations.csv"
BREAST_COLUMNS = (
    *("study_id", "image_id", "laterality", "view_position"),
    *("height", "width", "breast_birads", "breast_density", "split"),
)
CORNERS = ("ymin", "xmin", "ymax", "xmax")


def vindr_mammo(folder: Path) -> Manifest:
    """The images and the boxes of their findings.

    Raises
    ------
    DataError
        It is not that collection, or an image that a table names is missing.
    """
    breasts = read_table(folder / BREASTS, BREAST_COLUMNS)
    table = read_table(folder / FINDINGS, ("image_id", "finding_categories", *CORNERS))
    table.sort(key=itemgetter("image_id"))
    findings = {name: list(rows) for name, rows in groupby(table, itemgetter("image_id"))}
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for row in breasts:
        path = f"images/{row['study_id']}/{row['image_id']}.dicom"
        if not (folder / path).exists():
            raise DataError(
                mark("The image {path} that a table names is not in that folder."), path=path
            )
        other: list[str] = []
        for finding in findings.get(row["image_id"], ()):
            box = _box(path, finding, row)
            if isinstance(box, str):
                other.append(box)
            else:
                boxes.append(box)
        images.append(_image(path, row, " ".join(filter(None, other))))
    return Manifest(folder, tuple(images), tuple(boxes))


def _image(path: str, row: dict[str, str], other: str) -> ManifestRow:
    patient = hashed_patient("vindr-mammo", row["study_id"])
    return ManifestRow(
        path=path,
        patient_id=patient,
        laterality=laterality_of(row["laterality"]),
        view=view_of(row["view_position"]),
        label=label_of_birads(row["breast_birads"]),
        source=Source.REAL,
        split=published_split(row["split"], patient),
        density=density_of(row["breast_density"]),
        reference_standard=ReferenceStandard.CONSENSUS,
        extra={
            "collection": "VinDr-Mammo",
            "birads": row["breast_birads"],
            "other_findings": other,
        },
    )


def _box(path: str, finding: dict[str, str], image: dict[str, str]) -> BoxRow | str:
    """The finding's box, or its words where it is no lesion or has none."""
    words = _categories(finding["finding_categories"])
    kinds = [kind for kind in map(finding_type_of, words) if kind]
    told = "; ".join(word for word in words if word != "No Finding")
    if not kinds or not finding["xmin"]:
        return told
    size = number(image, "height", BREASTS), number(image, "width", BREASTS)
    r0, c0, r1, c1 = (number(finding, name, FINDINGS) for name in CORNERS)
    box = box_within((r0, c0, r1, c1), size)
    if box is None:
        return told
    birads = finding.get("finding_birads", "")
    extra = {"birads": birads, "descriptor": told}
    return BoxRow(path, box, kinds[0], label_of_birads(birads), extra=extra)


def _categories(said: str) -> list[str]:
    """Words of a list as Python writes it."""
    try:
        words = ast.literal_eval(said)
    except (ValueError, SyntaxError):
        words = None
    if not isinstance(words, list):
        raise DataError(
            mark("{table}: {said} is no list of findings."), table=FINDINGS, said=said or "''"
        )
    return [str(word) for word in words]
