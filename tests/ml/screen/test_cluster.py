"""A cluster of several nodes says what one machine says, also where a node is killed.

What needs Ray and PostgreSQL is run by `python scripts/test.py --cluster`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, func, select

from ml.control import Control
from ml.errors import DataError
from ml.screen.cluster import connected, heading_from_text, heading_to_text
from ml.screen.ledger import LEDGER
from ml.screen.rows import Entry, Heading, Standing
from ml.screen.run import run
from ml.screen.tables import answers
from tests.factories.breasts import LETTERS, make_view
from tests.factories.packs import make_packs
from tests.factories.postgres import postgres_server
from tests.factories.screening import said

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.fixture
def alone(archive: Path) -> list[dict[str, str]]:
    """What one machine says."""
    pytest.importorskip("ray")
    here = archive.parent / "here"
    run({"folder": str(archive), "out": str(here), "device": "cpu", "processes": 1}, Control())
    said_here = list(said(here))
    assert len(said_here) >= 4 * WOMEN
    return said_here


def on_a_cluster(archive: Path, out: Path, ledger: str = "", **at: Callable[[], None]) -> str:
    """Screen on nodes of which one is killed after some answers; what the program told.

    Has something happen at lines that have a word.
    """
    command = [sys.executable, PROGRAM, archive, out, "8", *filter(None, [ledger])]
    told: list[str] = []
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])},
        cwd=archive.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        longest = threading.Timer(300, program.kill)
        longest.start()
        for line in program.stdout or ():
            told.append(line)
            for word, happening in at.items():
                if word in line:
                    happening()
        longest.cancel()
    assert program.returncode == 0, "".join(told)
    return "".join(told)


@pytest.mark.slow
def test_a_killed_node_costs_nothing_and_repeats_nothing(
    archive: Path, alone: list[dict[str, str]]
) -> None:
    there = archive.parent / "there"
    assert "killed a node" in on_a_cluster(archive, there)
    assert list(said(there)) == alone


@pytest.mark.slow
def test_with_a_database_neither_a_killed_node_nor_a_restarted_server_costs_anything(
    archive: Path, alone: list[dict[str, str]]
) -> None:
    there = archive.parent / "there"
    with postgres_server() as server:
        # It stays away until that is noticed.
        at = {"kills": server.stop, "answer;": server.start}
        told = on_a_cluster(archive, there, server.url, **at)
        assert answers_in(server.url) == len(alone)
    assert "killed a node" in told
    assert "database does not answer" in told
    assert "database is back" in told
    assert list(said(there)) == alone
    assert not (there / LEDGER).exists()


def answers_in(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(answers)) or 0
    engine.dispose()
    return count
