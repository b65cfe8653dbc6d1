"""Whole studies as small files: breasts that hang from an edge, with air around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.factories.dicom import make_dicom

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LETTERS = {"RCC": ["P", "L"], "LCC": ["A", "R"], "RMLO": ["P", "FL"], "LMLO": ["A", "FR"]}


def make_breast(
    wall: str, kind: type = np.uint16, top: int = 4095, rows: int = 600, columns: int = 400
) -> NDArray[Any]:
    """A breast that hangs from the named edge of a dark film."""
    row, column = np.mgrid[:rows, :columns]
    depth = 1 - np.hypot((row - rows / 2) / (rows * 0.42), column / (columns * 0.65))
    noise = np.random.default_rng(0).normal(0, 0.01, row.shape)
    unit = np.clip(0.05 + np.clip(depth, 0, 1) ** 0.5 * 0.7 + noise, 0, 1)
    pixels = (unit * top).astype(kind)
    return pixels if wall == "left" else np.ascontiguousarray(pixels[:, ::-1])


def make_view(folder: Path, title: str, number: int = 1, **header: Any) -> Path:
    """One view as a file: ``"RCC"``, and whatever else its header says."""
    folder.mkdir(parents=True, exist_ok=True)
    plain: dict[str, Any] = {
        "SOPInstanceUID": f"1.2.3.4.{number}",
        "PatientID": "WOMAN-1",
        "PatientName": "Secret^Name",
        "ImageLaterality": title[0],
        "ViewPosition": title[1:],
        "PatientOrientation": LETTERS.get(title),
        "InstanceNumber": number,
        "StudyDate": "20260102",
    }
    wall = "right" if title[0] == "R" else "left"
    pixels = header.pop("pixels", None)
    pixels = make_breast(wall) if pixels is None else pixels
    return make_dicom(folder / f"{title}-{number}.dcm", pixels, **(plain | header))


def make_four_views(folder: Path, **header: Any) -> list[Path]:
    """The four standard views of one woman."""
    return [make_view(folder, title, n, **header) for n, title in enumerate(LETTERS, 1)]
