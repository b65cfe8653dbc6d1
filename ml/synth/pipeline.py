"""The generator in use: diffusers' Stable Diffusion pipelines over one pack's parts.

Two kinds of folder are one to the caller: the pack that comes with the program, which makes
whole breasts and paints lesions into pieces, and any Stable Diffusion folder that a user points
at, which does one of the two. Nothing is ever fetched, and no pickle is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError

from ml.control import NOBODY, Control
from ml.errors import ModelError
from ml.synth.compositing import composite
from ml.synth.memory import capability_of_device
from ml.synth.order import GUIDANCE, STEPS
from ml.synth.pack import LESIONS_FOLDER, GeneratorPack
from ml.synth.precision import Precision, precision_of
from ml.synth.prompts import prompt_text
from ml.synth.tones import level_around, toned, untoned
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
        StableDiffusionInpaintPipeline,
    )
    from diffusers.schedulers.scheduling_dpmsolver_multistep import (
        DPMSolverMultistepScheduler,
    )
    from numpy.typing import NDArray

    from ml.synth.prompts import Prompt


TYPES: dict[Precision, torch.dtype] = {
    Precision.FP32: torch.float32,
    Precision.FP16: torch.float16,
    Precision.BF16: torch.bfloat16,
}
# What turns noise into grays computes in this where the rest does in bfloat16, whose 8 digits
# would leave some 400 of a mammogram's 4096 grays.
GRAYS_IN: dict[Precision, Precision] = {Precision.BF16: Precision.FP16}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an image is drawn from noise.

    Attributes
    ----------
    guidance
        How much more than without a sentence the sentence counts; 1 is not at all.
    """

    steps: int = STEPS
    guidance: float = GUIDANCE


@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """A loaded pack; make one with `load_generator`, or of parts with `drawing`.

    At least one of the two pipelines is there.
    """

    pack: GeneratorPack | None
    breasts: StableDiffusionPipeline | None
    lesions: StableDiffusionInpaintPipeline | None

    @property
    def _any(self) -> StableDiffusionPipeline | StableDiffusionInpaintPipeline:
        found = self.breasts or self.lesions
        assert found is not None
        return found

    @property
    def device(self) -> torch.device:
        """What it computes on."""
        return self._any.device

    @property
    def pixels(self) -> int:
        """Of one image: rows times columns."""
        side = self._any.unet.config["sample_size"] * self._any.vae_scale_factor
        return int(side) ** 2

    def draw(
        self,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        sampling: Sampling,
        control: Control = NOBODY,
    ) -> NDArray[np.float32]:
        """Whole breasts, one for each prompt; the same seed gives the same image.

        Parameters
        ----------
        control
            Asked at every step of the noise.

        Returns
        -------
        (n, rows, columns) float32
            In 0..1.

        Raises
        ------
        ValueError
            Where the pack only paints in.
        """
        if self.breasts is None:
            raise ValueError("this pack draws no whole breasts")
        given = self.breasts(
            prompt=[prompt_text(prompt) for prompt in prompts],
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            generator=_noises(seeds),
            output_type="np",
            callback_on_step_end=_breathing(control),  # type: ignore[arg-type]
        )
        return _grey(given.images)  # type: ignore[union-attr]

    def paint(
        self,
        pieces: NDArray[np.float32],
        masks: NDArray[np.bool_],
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        sampling: Sampling,
        control: Control = NOBODY,
    ) -> NDArray[np.float32]:
        """Paint what is asked for under each mask; outside it nothing changes, not one value.

        What the autoencoder cannot carry of a piece, the grain of a film or the noise of a
        detector, is put back upon what is painted: a smooth disk would show where the mask was.

        Parameters
        ----------
        pieces : (n, 256, 256) float32
            In 0..1, of 0.1 mm a pixel.
        masks : (n, 256, 256) bool

        Raises
        ------
        ValueError
            Where the pack paints no lesions.
        """
        if self.lesions is None:
            raise ValueError("this pack paints no lesions")
        levels = [level_around(*one) for one in zip(pieces, masks, strict=True)]
        seen = self._toned(pieces, levels, toned)
        grain = pieces - self._toned(self.carried(seen), levels, untoned)
        covered = torch.from_numpy(masks[:, None].astype(np.float32))
        given = self.lesions(
            prompt=[prompt_text(prompt) for prompt in prompts],
            image=self._coloured(seen),
            mask_image=covered,
            height=pieces.shape[1],
            width=pieces.shape[2],
            strength=1.0,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            generator=_noises(seeds),
            output_type="np",
            callback_on_step_end=_breathing(control),  # type: ignore[arg-type]
        )
        drawn = _grey(given.images)  # type: ignore[union-attr]
        painted = self._toned(drawn, levels, untoned) + grain
        return np.stack([composite(*one) for one in zip(painted, pieces, masks, strict=True)])

    def _toned(
        self,
        images: NDArray[np.float32],
        levels: Sequence[float],
        curve: Callable[[NDArray[np.float32], float], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """To what the painter sees, or back; other packs see pieces as they are."""
        assert self.pack is not None
        if not self.pack.card.levelled:
            return images
        return np.stack([curve(*one) for one in zip(images, levels, strict=True)])

    def carried(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images through the autoencoder and back: what is lost so, no denoiser can draw.

        Parameters
        ----------
        images : (n, rows, columns) float32
            In 0..1.
        """
        coder = self._any.vae
        given = (self._coloured(images) * 2 - 1).to(coder.device, coder.dtype)
        with torch.inference_mode():
            back = coder.decode(coder.encode(given).latent_dist.mode()).sample
        return (back.mean(1).float().cpu().numpy() + 1) / 2

    def _coloured(self, images: NDArray[np.float32]) -> torch.Tensor:
        """(n, channels, rows, columns): other packs see colours."""
        channels = int(self._any.vae.config["in_channels"])
        return torch.from_numpy(images[:, None]).repeat(1, channels, 1, 1)


def load_generator(
    pack: GeneratorPack,
    device: str = "cpu",
    lora: Sequence[Path] = (),
    precision: Precision | None = None,
) -> Generator:
    """Load a checked pack's networks.

    Attention is torch's `scaled_dot_product_attention`, which diffusers takes where it is there
    and which needs memory in proportion to the image, not to its square (Rabe and Staats 2021).

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``.
    lora
        Files of `ml.synth.pack.read_lora`, put upon the pack's weights one after the other.
    precision
        None: what suits the device.

    Raises
    ------
    ModelError
        Where a LoRA does not fit the pack.
    """
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
        StableDiffusionInpaintPipeline,
    )

    _quiet()
    precision = precision or precision_of(device, capability_of_device(device))
    kind, grays = TYPES[precision], TYPES[GRAYS_IN.get(precision, precision)]
    given: dict[str, object] = {
        "local_files_only": True,
        "use_safetensors": True,
        # The other way needs another package, and these networks are small.
        "low_cpu_mem_usage": False,
    }
    kinds = {"default": kind, "vae": grays}
    form = StableDiffusionPipeline if pack.draws else StableDiffusionInpaintPipeline
    whole = form.from_pretrained(pack.folder, **given, dtype=kinds, safety_checker=None)
    _as_used(whole)
    _take_any_type(whole.vae)
    _put_upon(whole, lora)
    whole = whole.to(device)
    if isinstance(whole, StableDiffusionInpaintPipeline):
        return Generator(pack, None, whole)
    given["dtype"] = kind
    lesions = _painter(pack, whole, given).to(device) if pack.paints else None
    return Generator(pack, whole, lesions)


def drawing(breasts: StableDiffusionPipeline) -> Generator:
    """A pipeline as it is used here; it paints no lesions."""
    _as_used(breasts)
    return Generator(None, breasts, None)


def _as_used(pipeline: StableDiffusionPipeline | StableDiffusionInpaintPipeline) -> None:
    pipeline.scheduler = _solver(pipeline)
    pipeline.set_progress_bar_config(disable=True)


def _solver(
    breasts: StableDiffusionPipeline | StableDiffusionInpaintPipeline,
) -> DPMSolverMultistepScheduler:
    """DPM-Solver++ (Lu 2022) over the pack's own noise; "trailing" begins at noise alone."""
    from diffusers.schedulers.scheduling_dpmsolver_multistep import (
        DPMSolverMultistepScheduler,
    )

    return DPMSolverMultistepScheduler.from_config(  # type: ignore[return-value] (no tuple unless asked for)
        breasts.scheduler.config, algorithm_type="dpmsolver++", timestep_spacing="trailing"
    )


def _take_any_type(autoencoder: AutoencoderKL) -> None:
    """Have the autoencoder take what the other networks give, in its own type."""

    def cast(
        part: torch.nn.Module, given: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        return (given[0].to(autoencoder.dtype), *given[1:])

    for part in (autoencoder.encoder, autoencoder.post_quant_conv, autoencoder.decoder):
        if part is not None:
            part.register_forward_pre_hook(cast)


def _painter(
    pack: GeneratorPack, breasts: StableDiffusionPipeline, given: Mapping[str, object]
) -> StableDiffusionInpaintPipeline:
    """The pack's second denoiser, and its text encoder, with the other parts of the first."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
        StableDiffusionInpaintPipeline,
    )
    from transformers import CLIPTextModel

    folder = pack.folder / LESIONS_FOLDER
    parts = breasts.components | {
        "unet": UNet2DConditionModel.from_pretrained(folder / "unet", **given),
        "text_encoder": CLIPTextModel.from_pretrained(
            folder / "text_encoder", dtype=given["dtype"], local_files_only=True
        ),
        "scheduler": _solver(breasts),
    }
    painter = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    painter.set_progress_bar_config(disable=True)
    return painter


def _quiet() -> None:
    """No bars and warnings of loading on the terminal: the command has its own."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    # It also warns of every LoRA that leaves the text encoder as it is, as most do.
    diffusers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def _put_upon(
    pipeline: StableDiffusionPipeline | StableDiffusionInpaintPipeline, lora: Sequence[Path]
) -> None:
    names = [f"lora-{number}" for number, _ in enumerate(lora)]
    for path, name in zip(lora, names, strict=True):
        try:
            pipeline.load_lora_weights(
                str(path.parent),
                weight_name=path.name,
                adapter_name=name,
                local_files_only=True,
                use_safetensors=True,
            )
            # Refused where the file has no weights for any of this model's layers.
            pipeline.set_adapters(names[: names.index(name) + 1])
        except (ValueError, RuntimeError, LookupError, OSError, SafetensorError) as error:
            raise ModelError(
                mark(
                    "The LoRA {name} does not fit this model; choose one that was made for it."
                ),
                detail=str(error),
                name=path.name,
            ) from error


def _noises(seeds: Sequence[int]) -> list[torch.Generator]:
    """One source of noise an image, on the CPU: the same on every device and in every batch."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def _breathing(control: Control) -> Callable[..., dict[str, object]]:
    def breathe(
        pipeline: object, step: int, time: object, tensors: dict[str, object]
    ) -> dict[str, object]:
        control.breathe()
        return tensors

    return breathe


def _grey(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, rows, columns, channels) as one channel: other packs draw in colour."""
    return np.asarray(images, np.float32).mean(-1)
