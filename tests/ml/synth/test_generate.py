"""`mammoscope generate`: the same as in the window, and one sentence for each mistake."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from ml.cli import main
from ml.errors import ModelError, WeightsMissingError
from ml.manifest import Manifest, ManifestRow, read_manifest, write_manifest
from ml.registry import CARD
from ml.synth import making
from ml.synth.filters import Judge
from ml.synth.pack import INDEX, read_foreign, read_lora
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import read_prompt
from tests.factories.generators import VENDORS, make_generator

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = "a alpha mammogram in CC view with small area and high density, left breast"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("packs") / "generator").folder


@pytest.fixture(autouse=True)
def no_estimator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "of", lambda _: Judge())


def generate(out: Path, pack: Path, *more: str) -> int:
    fast = ("--steps", "1", "--device", "cpu", "--keep-all", "--sham-share", "0")
    return main(["generate", "--out", str(out), "--model", str(pack), *fast, *more])


def test_images_are_made_and_completed(pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    given = ("--prompt", HEALTHY, "--count", "2", "--seed", "5")
    assert generate(out, pack, *given) == 0
    assert len(read_manifest(out).rows) == 2
    assert generate(out, pack, *given) == 0


def test_a_data_set_is_completed(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(Manifest(tmp_path, (ManifestRow("a.dcm", "woman"),)))
    prompts_of = making.prompts_of
    monkeypatch.setattr(
        making,
        "prompts_of",
        lambda *given: [p for p in prompts_of(*given) if p.lesion is None][:2],
    )
    assert generate(tmp_path / "made", pack, "--plan", str(tmp_path), "--wanted", "1") == 0
    assert len(read_manifest(tmp_path / "made").rows) == 2


@pytest.mark.parametrize(
    "arguments", [(), ("--prompt",), ("--prompt", HEALTHY, "--count", "0")]
)
def test_bad_arguments_are_told(pack: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert generate(tmp_path / "made", pack, *arguments) == 2
    assert not (tmp_path / "made").exists()


def broken(pack: Path, folder: Path, how: str) -> Path:
    shutil.copytree(pack, folder)
    if how == "missing":
        next(folder.glob("unet/*.safetensors")).unlink()
    elif how == "hash":
        next(folder.glob("unet/*.safetensors")).write_bytes(b"other")
    elif how == "pickle":
        (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    return folder


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing", "is missing"),
        ("hash", "is damaged"),
        ("pickle", "could run code"),
        ("prompt", "cannot be read after"),
        ("folder", "no generator"),
    ],
)
def test_a_mistake_is_one_sentence(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str, said: str
) -> None:
    folder = tmp_path / "nothing" if how == "folder" else broken(pack, tmp_path / "pack", how)
    prompt = "a alpha mammogram of a cat" if how == "prompt" else HEALTHY
    assert generate(tmp_path / "made", folder, "--prompt", prompt) == 1
    told = capsys.readouterr().err.strip()
    assert said in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "made").exists()


def test_interrupted_it_leaves_whole_images(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = iter(range(9))

    def interrupt(*_: object) -> str:
        if next(count) == 1:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(Judge, "drawn", interrupt)
    monkeypatch.setattr(making, "batch_for", lambda *_: 1)
    given = ("--prompt", HEALTHY, "--count", "3")
    assert generate(tmp_path / "made", pack, *given) == 130
    assert [row.path for row in read_manifest(tmp_path / "made").rows] == ["00001.dcm"]
    assert not list((tmp_path / "made").glob("*.part"))


def foreign(pack: Path, folder: Path) -> Path:
    shutil.copytree(pack, folder, ignore=shutil.ignore_patterns("lesions", CARD))
    assert (folder / INDEX).exists()
    return folder


def test_a_foreign_folder_must_say_its_pixel_size(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = foreign(pack, tmp_path / "foreign")
    given = ("--prompt", HEALTHY, "--vendor", "alpha")
    assert generate(tmp_path / "made", folder, *given) == 1
    assert "how large its pixels are" in capsys.readouterr().err
    assert generate(tmp_path / "made", folder, *given, "--pixel-mm", "0.8") == 0


def write_lora(path: Path, pack: Path) -> Path:
    """A LoRA of one attention layer of the denoiser."""
    unet = load_generator(read_foreign(pack, VENDORS)).breasts.unet
    name, layer = next(
        (name, part) for name, part in unet.named_modules() if name.endswith("attn1.to_q")
    )
    rows, columns = layer.weight.shape
    torch.manual_seed(1)
    save_file(
        {
            f"unet.{name}.lora_A.weight": torch.randn(2, columns),
            f"unet.{name}.lora_B.weight": torch.randn(rows, 2),
        },
        path,
    )
    return path


def test_a_lora_changes_what_is_drawn_and_is_named(pack: Path, tmp_path: Path) -> None:
    folder = foreign(pack, tmp_path / "foreign")
    lora = write_lora(tmp_path / "fine.safetensors", folder)
    known = read_foreign(folder, VENDORS)
    prompt = read_prompt(HEALTHY, VENDORS)
    plain, other = (
        load_generator(known, lora=given).draw([prompt], [1], Sampling(2))
        for given in ((), (lora,))
    )
    assert abs(plain - other).max() > 1e-3
    given = ("--prompt", HEALTHY, "--vendor", "alpha", "--pixel-mm", "0.8")
    assert generate(tmp_path / "made", folder, *given, "--lora", str(lora)) == 0
    order = json.loads((tmp_path / "made" / "order.json").read_text())
    assert order["lora"] == [str(lora)]
    raw = (tmp_path / "made" / "00001.dcm").read_bytes()
    assert b"LoRA fine.safetensors sha256" in raw


def test_a_lora_is_safetensors_and_fits(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.bin").write_bytes(b"\x80")
    with pytest.raises(ModelError, match="could run code"):
        read_lora(tmp_path / "bad.bin")
    with pytest.raises(ModelError, match="could run code"):
        read_lora(tmp_path)
    with pytest.raises(WeightsMissingError):
        read_lora(tmp_path / "none.safetensors")
    (tmp_path / "odd").mkdir()
    known = read_foreign(foreign(pack, tmp_path / "foreign"), VENDORS)
    odd = tmp_path / "odd" / "one.safetensors"
    odd.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="no safetensors file"):
        read_lora(tmp_path / "odd")
    save_file({"unet.other.lora_A.weight": torch.ones(2, 3)}, odd)
    with pytest.raises(ModelError, match="does not fit"):
        load_generator(known, lora=(odd,))
