"""What the generator's report counts, on places of known marks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import report_generator
from report_generator import Place, marks_of

from ml.synth.prompts import LesionKind

PIECE = np.zeros((256, 256), np.float32)


def value(share: object) -> float | None:
    assert isinstance(share, dict)
    return share["value"]


def place(kind: LesionKind | None, *, marked: bool) -> Place:
    return Place("woman", kind, PIECE, marked)


def test_marks_are_counted_by_what_was_painted() -> None:
    kinds = [LesionKind.MASS, LesionKind.MASS, None]
    before = [place(None, marked=False), place(None, marked=True), place(None, marked=False)]
    after = [place(kind, marked=True) for kind in kinds]
    lines = {str(line["kind"]): line for line in marks_of(before, after, [])}
    mass = lines["mass"]
    assert (mass["n"], value(mass["painted"]), value(mass["untouched"])) == (2, 1, 0.5)
    assert value(mass["simulated"]) is None, "none was simulated"
    assert value(lines[report_generator.SHAM]["painted"]) == 1
    assert lines["spiculated mass"]["n"] == 0


def test_women_that_were_taught_measure_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(report_generator.WOMEN, count=2)
    monkeypatch.setattr(report_generator, "WOMEN", few)
    monkeypatch.setattr(report_generator.os, "cpu_count", lambda: 1)
    spec = report_generator.ANATOMY
    images = list(report_generator.phantom_canvases(few, spec))
    report_generator.write_canvases(tmp_path / "breasts", iter(images), 2, spec)
    known = report_generator.simulated_women(tmp_path, set())
    assert len(known.held_out.images) == len(known.prompts) == 2
    taught = {report_generator.name_sha256(images[0][1].patient_id)}
    with pytest.raises(SystemExit, match="was taught on the women"):
        report_generator.simulated_women(tmp_path, taught)
