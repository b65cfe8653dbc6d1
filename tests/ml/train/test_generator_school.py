"""One generator's training from part to part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ml.models.generator import MOST_WORDS, build_autoencoder, build_denoiser
from ml.train import generator_school
from ml.train.generator import Conditioned, DenoiserRecipe, Latents
from ml.train.generator_base import Base
from ml.train.generator_school import Lesson, Recipes, School
from tests.ml.synth.test_teaching import canvases, item

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from ml.synth.known import Known
    from ml.synth.pack import GeneratorCard

RECIPE = DenoiserRecipe(steps=3, batch=2, warmup=1, save_every=3)


def pieces(words: int) -> Latents:
    rng = np.random.default_rng(1)
    means = rng.standard_normal((4, 4, 32, 32)).astype(np.float16)
    beside = rng.standard_normal((4, 5, 32, 32)).astype(np.float16)
    return Latents(means, rng.integers(words, size=(4, MOST_WORDS)), beside)


def test_the_painter_learns_the_words_that_breasts_never_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained on with the breasts' averaged text, which takes no gradient, it ignored them."""
    base = Base("0" * 64, build_autoencoder())
    lesson = Lesson([], [], lambda: iter(()), canvases(item()), ("alpha",))
    school = School(lesson, Recipes(None, RECIPE, RECIPE), tmp_path, "cpu", base=base)
    breasts = Conditioned(build_denoiser(inpainting=False), school.text)
    before = {name: value.clone() for name, value in school.text.state_dict().items()}
    averaged = breasts.requires_grad_(requires_grad=False)
    monkeypatch.setattr(School, "_breasts", lambda self, autoencoder: averaged)
    monkeypatch.setattr(
        generator_school, "piece_latents", lambda *given: pieces(len(school.tokenizer))
    )
    painted: list[Conditioned | None] = []

    def keep(folder: Path, card: GeneratorCard, **parts: Conditioned | None) -> None:
        painted.append(parts["lesions"])

    monkeypatch.setattr(generator_school, "save_generator", keep)
    nothing: GeneratorCard = None  # type: ignore[assignment]
    known: Known = None  # type: ignore[assignment]
    school.generator(tmp_path / "pack", nothing, lambda: known)
    (painter,) = painted
    assert painter is not None
    after = painter.text.state_dict()
    moved = [name for name, value in before.items() if not torch.equal(after[name], value)]
    assert any("token_embedding" in name for name in moved)
    assert all(torch.equal(school.text.state_dict()[n], v) for n, v in before.items())
