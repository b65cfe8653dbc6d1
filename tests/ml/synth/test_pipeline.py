"""Drawing and painting: sizes, seeds, masks, and stopping; and what a pack may hold."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
    StableDiffusionInpaintPipeline,
)

from ml.control import Control, Stopped
from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.models.generator import (
    build_denoiser,
    build_text_encoder,
    build_tokenizer,
    noise_schedule,
)
from ml.registry import CARD
from ml.synth.making import run
from ml.synth.order import Order
from ml.synth.pack import read_any, read_foreign, read_generator, read_lora
from ml.synth.pipeline import GRAYS_IN, Sampling, load_generator
from ml.synth.precision import Precision, precision_of
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant, prompt_text, words_of
from tests.factories.generators import VENDORS, make_generator

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.synth.pipeline import Generator

HEALTHY = Prompt("alpha", ViewPosition.CC, Area.BIG, BreastDensity.A, Laterality.LEFT)
MASS = Prompt(
    "film-a",
    ViewPosition.MLO,
    Area.SMALL,
    BreastDensity.D,
    Laterality.RIGHT,
    LesionKind.MASS,
    Quadrant.UPPER_OUTER,
)
FEW = Sampling(steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("packs") / "generator").folder


@pytest.fixture(scope="module")
def generator(folder: Path) -> Generator:
    return load_generator(read_generator(folder))


def test_the_same_seed_draws_the_same_breast(generator: Generator) -> None:
    both = generator.draw([HEALTHY, HEALTHY], [1, 2], FEW)
    again = generator.draw([HEALTHY], [2], FEW)
    assert both.shape == (2, 256, 256)
    assert both.min() >= 0
    assert both.max() <= 1
    np.testing.assert_allclose(both[1], again[0], atol=1e-4)
    assert np.abs(both[0] - both[1]).max() > 0.01


def test_what_is_asked_for_counts(generator: Generator) -> None:
    one, other = (generator.draw([p], [1], FEW) for p in (HEALTHY, MASS))
    assert np.abs(one - other).max() > 1e-4


def test_not_one_value_changes_outside_the_mask(generator: Generator) -> None:
    piece = np.random.default_rng(1).random((1, 256, 256), np.float32)
    mask = np.zeros((1, 256, 256), np.bool_)
    mask[0, 100:140, 60:100] = True
    painted = generator.paint(piece, mask, [MASS], [1], FEW)
    assert np.array_equal(painted[~mask], piece[~mask])
    assert np.abs(painted[mask] - piece[mask]).mean() > 0.01


def tissue(level: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    piece = np.random.default_rng(1).uniform(-0.1, 0.1, (1, 256, 256)).astype(np.float32)
    mask = np.zeros((1, 256, 256), np.bool_)
    mask[0, 100:140, 60:100] = True
    return piece + np.float32(level), mask


def test_the_same_is_painted_into_dark_and_into_bright_tissue(generator: Generator) -> None:
    """Whatever the weights: the painter sees both alike."""
    pieces, masks = zip(*map(tissue, (0.4, 0.55)), strict=True)
    one, other = (
        generator.paint(p, m, [MASS], [1], FEW) for p, m in zip(pieces, masks, strict=True)
    )
    within = masks[0] & (one > 0) & (other < 1)
    assert np.count_nonzero(within) > 100
    assert np.abs(one - pieces[0])[within].mean() > 0.01
    np.testing.assert_allclose(
        (one - pieces[0])[within], (other - pieces[1])[within], atol=2e-3
    )


class _StopsAtSecond(Control):
    def __init__(self) -> None:
        self.asked = 0

    def breathe(self) -> None:
        self.asked += 1
        if self.asked == 2:
            raise Stopped


def test_it_stops_within_a_step(generator: Generator) -> None:
    control = _StopsAtSecond()
    with pytest.raises(Stopped):
        generator.draw([HEALTHY], [1], Sampling(steps=50), control)
    assert control.asked == 2


def test_without_a_second_denoiser_nothing_is_painted(tmp_path: Path) -> None:
    pack = make_generator(tmp_path / "generator", lesions=False)
    with pytest.raises(ValueError, match="paints no lesions"):
        load_generator(pack).paint(
            np.zeros((1, 256, 256), np.float32),
            np.ones((1, 256, 256), np.bool_),
            [MASS],
            [1],
            FEW,
        )


def test_any_stable_diffusion_folder_will_do(folder: Path, tmp_path: Path) -> None:
    foreign = shutil.copytree(folder, tmp_path / "MAM-E")
    (foreign / CARD).unlink()
    shutil.rmtree(foreign / "lesions")
    pack = read_foreign(foreign, VENDORS)
    assert pack.card.breast_mm is None
    drawn = load_generator(pack).draw([HEALTHY], [1], FEW)
    np.testing.assert_allclose(
        drawn, load_generator(read_generator(folder)).draw([HEALTHY], [1], FEW), atol=1e-5
    )


def painter_in_colour(folder: Path) -> Path:
    """An inpainting folder as others write it: three colours, no card."""
    levels = 4
    coder = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=(8,) * levels,
        norm_num_groups=4,
    )
    tokenizer = build_tokenizer(words_of(VENDORS))
    StableDiffusionInpaintPipeline(
        vae=coder,
        text_encoder=build_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=build_denoiser(inpainting=True),
        scheduler=noise_schedule(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def test_a_folder_that_only_paints_in_paints_and_draws_nothing(tmp_path: Path) -> None:
    pack = read_any(painter_in_colour(tmp_path / "MAM-E-lesions"), VENDORS)
    assert pack.paints
    assert not pack.draws
    assert len(pack.lesions_sha256) == 64
    painter = load_generator(pack)
    piece = np.random.default_rng(1).random((1, 256, 256), np.float32)
    mask = np.zeros((1, 256, 256), np.bool_)
    mask[0, 100:140, 60:100] = True
    painted = painter.paint(piece, mask, [MASS], [1], FEW)
    assert np.array_equal(painted[~mask], piece[~mask])
    assert np.abs(painted[mask] - piece[mask]).mean() > 0.01
    assert not pack.card.levelled, "it was taught on pieces as they are"
    with pytest.raises(ValueError, match="draws no whole breasts"):
        painter.draw([HEALTHY], [1], FEW)
    order = Order(str(tmp_path / "made"), (prompt_text(HEALTHY),), model=str(pack.folder))
    with pytest.raises(ModelError, match="only paints into breasts"):
        run({**order.to_json(), "vendors": list(VENDORS), "sham_share": 0.0})
    assert not list((tmp_path / "made").glob("*"))


def copied(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "generator")


def test_a_missing_file_is_named(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path)
    (broken / "vae" / "config.json").unlink()
    with pytest.raises(WeightsMissingError, match=r"vae/config\.json"):
        read_generator(broken)


def test_a_changed_file_is_named(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path)
    (broken / "tokenizer" / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsCorruptError, match=r"tokenizer\.json"):
        read_generator(broken)


@pytest.mark.parametrize("name", ["unet/pytorch_model.bin", "model.CKPT", "unet/run.py"])
def test_a_pickle_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    broken = copied(folder, tmp_path)
    (broken / name).write_bytes(b"\x80\x04.")
    for read in (read_generator, lambda place: read_foreign(place, VENDORS)):
        with pytest.raises(ModelError, match="could run code"):
            read(broken)


def test_a_file_that_no_hash_covers_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path)
    (broken / "unet" / "other.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="does not name"):
        read_generator(broken)


def test_a_pickle_by_another_name_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path)
    (broken / "unet" / "other.safetensors").write_bytes(b"\x80\x04." + bytes(40))
    with pytest.raises(ModelError, match="no safetensors file"):
        read_foreign(broken, VENDORS)


def test_only_a_lora_is_taken_for_one(folder: Path, tmp_path: Path) -> None:
    weights = next((folder / "vae").glob("*.safetensors"))
    with pytest.raises(ModelError, match="holds no LoRA"):
        read_lora(weights)
    (tmp_path / "a.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match="no safetensors file"):
        read_lora(tmp_path / "a.safetensors")


def test_a_folder_of_something_else_is_no_generator(folder: Path, tmp_path: Path) -> None:
    assert read_any(folder).card.breast_mm == 0.8
    with pytest.raises(ModelError, match=r"neither card.json nor model_index.json"):
        read_any(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a\\b"])
def test_a_card_names_nothing_outside(folder: Path, tmp_path: Path, name: str) -> None:
    broken = copied(folder, tmp_path)
    card = json.loads((broken / CARD).read_text())
    (broken / CARD).write_text(json.dumps({**card, "files": {name: "0"}}))
    with pytest.raises(ModelError, match="cannot be read"):
        read_generator(broken)


def test_halves_keep_a_mammograms_grays(
    folder: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bfloat16 alone leaves about 400 of 4096."""
    # A processor takes minutes over a convolution in float16.
    monkeypatch.setitem(GRAYS_IN, Precision.BF16, Precision.FP32)
    halves = load_generator(read_generator(folder), precision=Precision.BF16)
    assert halves.breasts.unet.dtype is torch.bfloat16
    drawn, exact = (g.draw([HEALTHY], [1], FEW) for g in (halves, generator))
    assert np.abs(drawn - exact).mean() < 0.005
    assert len(np.unique(drawn)) > 1000
    piece, mask = np.zeros((1, 256, 256), np.float32), np.ones((1, 256, 256), np.bool_)
    assert halves.paint(piece, mask, [MASS], [1], FEW).shape == piece.shape


@pytest.mark.parametrize(
    ("device", "capability", "precision"),
    [
        ("cpu", None, Precision.FP32),
        ("cpu", (9, 0), Precision.FP32),
        ("cuda", (7, 5), Precision.FP16),
        ("cuda", (8, 0), Precision.BF16),
        ("cuda:0", (12, 0), Precision.BF16),
        ("cuda:0", None, Precision.FP16),
    ],
)
def test_the_precision_is_what_the_device_does_best(
    device: str, capability: tuple[int, int] | None, precision: Precision
) -> None:
    assert precision_of(device, capability) is precision
