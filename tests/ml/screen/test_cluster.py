"""A cluster of several nodes says what one machine says, also where a node is killed.

Needs `pip install mammoscope[cluster]`; run with `pytest -m slow tests/ml/screen`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml.control import Control
from ml.errors import DataError
from ml.screen.cluster import connected, heading_from_text, heading_to_text
from ml.screen.rows import Entry, Heading, Standing
from ml.screen.run import run
from tests.factories.breasts import LETTERS, make_view
from tests.factories.packs import make_packs
from tests.factories.screening import said

PROGRAM = Path(__file__).resolve().parents[2] / "factories" / "cluster.py"
WOMEN = 10


def test_a_heading_goes_through_the_store() -> None:
    heading = Heading(Entry("/a/ü b.dcm", 3, 4), Standing.IMAGE, study_key="real\nstudy")
    assert heading_from_text(heading_to_text(heading)) == heading


def test_without_ray_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DataError, match=r"mammoscope\[cluster\]"):
        connected("")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_packs(tmp_path / "packs")
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(tmp_path / "packs"))
    folder = tmp_path / "archive"
    for woman in range(WOMEN):
        for number, title in enumerate(LETTERS, 1):
            uid = f"1.2.{woman}"
            named = {"StudyInstanceUID": uid, "SOPInstanceUID": f"{uid}.4.{number}"}
            make_view(folder / f"{woman}", title, number, PatientID=f"WOMAN-{woman}", **named)
    (folder / "0" / "cut.dcm").write_bytes((folder / "0" / "RCC-1.dcm").read_bytes()[:9000])
    return folder


@pytest.mark.slow
def test_a_killed_node_costs_nothing_and_repeats_nothing(archive: Path) -> None:
    pytest.importorskip("ray")
    here, there = archive.parent / "here", archive.parent / "there"
    run({"folder": str(archive), "out": str(here), "device": "cpu", "processes": 1}, Control())
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])}
    done = subprocess.run(
        [sys.executable, PROGRAM, archive, there, "8"],
        env=environment,
        cwd=archive.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed a node after" in done.stdout
    ours, theirs = list(said(here)), list(said(there))
    assert len(ours) >= 4 * WOMEN
    assert theirs == ours
