from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.files import write_json
from ml.places import MODELS_VARIABLE
from ml.registry import CARD
from tests.factories.generators import make_generator
from tests.factories.packs import make_packs
from viewer.__main__ import main
from viewer.core.start import Start

if TYPE_CHECKING:
    from viewer.qt.instance import Claim

HEAVY = ("torch", "ultralytics", "openvino", "PySide6", "cv2", "scipy", "numpy", "pydicom")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom viewer.__main__ import main\nmain(['--help'])\n"
        f"sys.exit(', '.join(name for name in {HEAVY} if name in sys.modules))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stderr.strip() == ""
    assert "example: mammoscope" in ran.stdout


@pytest.mark.parametrize("command", ["analyze", "phantom", "train", "evaluate", "models"])
def test_every_command_shows_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    assert f"example: mammoscope {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["analyze"], ["--nonsense"], ["self-test"], ["phantom", "--count", "0", "--out", "x"]],
)
def test_bad_arguments_leave_with_two(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_paths_and_together_go_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Start, Claim | None]] = []

    def run(start: Start, claim: Claim | None) -> int:
        seen.append((start, claim))
        if claim is not None:
            claim.free()
        return 0

    monkeypatch.setattr("viewer.app.run", run)
    assert main(["--together", "a.dcm", "b.dcm"]) == 0
    assert main([]) == 0
    assert main(["--new-window"]) == 0
    assert main(["a.dcm", "--nonsense"]) == 2
    first, second, third = (start for start, _ in seen)
    assert first.paths == (Path.cwd() / "a.dcm", Path.cwd() / "b.dcm")
    assert (first.together, second, third.alone) == (True, Start(), True)
    assert [claim is None for _, claim in seen] == [False, False, True]


def test_models_are_listed_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_packs(tmp_path)
    make_generator(tmp_path / "generator")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    assert main(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert "tiny-detector@0.1.0\tdetector" in said
    assert "tiny-generator@0.1.0\tgenerator" in said
    assert main(["models", "show", "generator"]) == 0
    assert json.loads(capsys.readouterr().out)["breast_mm"] == 0.8
    assert main(["models", "show", "classifier"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "tiny-classifier"
    assert main(["models", "show", "nothing"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "detector" / CARD).write_text("{")
    assert main(["models", "list"]) == 1


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_without_mammograms_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(tmp_path), "--json", str(tmp_path / "a.json")]) == 1
    assert "No mammogram" in capsys.readouterr().err
    assert not (tmp_path / "a.json").exists()


def test_a_film_is_analyzed_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_packs(tmp_path / "models")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    film = np.zeros((300, 200), np.uint8)
    film[60:240, :90] = np.linspace(60, 220, 90).astype(np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    out = tmp_path / "findings.json"
    assert main(["analyze", str(tmp_path / "film.png"), "--json", str(out)]) == 0
    document = json.loads(out.read_text())
    (image,) = document["images"]
    assert (image["rows"], image["columns"], image["refused"]) == (300, 200, None)
    assert image["lesion_score"] > 0
    assert image["lesion_probability"] is None
    assert len(image["findings"][0]["box"]) == 4
    assert image["model_hashes"].keys() == {"detector", "classifier"}
