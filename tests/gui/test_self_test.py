"""The whole program in a process of its own, without what the reader's edition lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = ("torch", "torchvision", "ultralytics", "diffusers")
LONGEST_S = 120


def self_test(out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "MAMMOSCOPE_BLOCK_IMPORTS": ",".join(ABSENT),
        "MAMMOSCOPE_DEVICE": "cpu",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-m", "viewer", "self-test", "--out", str(out)],
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        env=environment,
    )


def test_it_passes_without_torch(tmp_path: Path) -> None:
    done = self_test(tmp_path)
    assert done.returncode == 0, done.stderr
    picture = QImage(str(tmp_path / "screenshot.png"))
    assert picture.width() > 1000
    middle, row = picture.width() // 2, picture.height() // 4
    columns = range(middle - 90, middle)
    assert max(picture.pixelColor(c, row).lightness() for c in columns) > 60, "a breast"
    document = json.loads((tmp_path / "findings.json").read_text())
    assert len(document["images"]) == 4
    assert {image["laterality"] for image in document["images"]} == {"R", "L"}
    assert document["engine"].startswith("OpenVINO")
    assert all(image["refused"] is None for image in document["images"])


def test_the_block_blocks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import torch"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "MAMMOSCOPE_BLOCK_IMPORTS": ",".join(ABSENT)},
    )
    assert done.returncode != 0
    assert "torch" in done.stderr


def test_it_fails_with_a_sentence_where_the_models_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = self_test(tmp_path / "out", MAMMOSCOPE_MODELS=str(tmp_path / "empty"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "model" in done.stderr
