"""What the studio is asked to make: chips and a sentence that say the same, and the order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import PurePath
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.synth.order import FILLED_SHAM_SHARE, GUIDANCE, STEPS, Order
from ml.synth.precision import Precision
from ml.synth.prompts import WORDS, Area, LesionKind, Prompt, Quadrant, prompt_text, read_prompt
from ml.texts import mark, translate
from viewer.core.lacks import plan_of

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.core.lacks import DataSet
    from viewer.core.settings import Settings

# The word of the chip that asks for no lesion; no slot of a sentence has it.
NO_LESION = mark("none")
# Share of the healthy images that are painted anew too, so that an edit tells nothing.
SHAM_SHARE = 0.5
# Twice what `ml.synth.quality` needs: which healthy images are painted into is left to chance.
MEASURABLE = 40


@dataclass(frozen=True, slots=True)
class Chips:
    """One row of words of which one is chosen.

    Attributes
    ----------
    slot
        The name of the prompt's field.
    title
        Marked.
    """

    slot: str
    title: str


ROWS: tuple[tuple[Chips, ...], ...] = (
    (Chips("vendor", mark("Vendor")),),
    (Chips("view", mark("View", "of a breast")), Chips("laterality", mark("Side"))),
    (Chips("density", mark("Density")),),
    (Chips("area", mark("Area")),),
    (Chips("lesion", mark("Lesion")),),
    (Chips("quadrant", mark("Place", "in the breast")),),
)


@dataclass(frozen=True, slots=True)
class GeneratorChoice:
    """Which generator is wanted; all empty: the program's own.

    Attributes
    ----------
    folder
        A pack of ours, or any Stable Diffusion folder.
    lora
        A file that is put upon it.
    vendors, pixel_mm
        What a folder without a card does not say; None: not known.
    """

    folder: str = ""
    lora: str = ""
    vendors: tuple[str, ...] = ()
    pixel_mm: float | None = None


def choice_of(settings: Settings) -> GeneratorChoice:
    """The choice that the settings keep."""
    return GeneratorChoice(
        settings.generator,
        settings.generator_lora,
        read_words(settings.generator_vendors),
        settings.generator_pixel_mm or None,
    )


def keep_choice(settings: Settings, choice: GeneratorChoice) -> Settings:
    """Settings that keep a choice."""
    return replace(
        settings,
        generator=choice.folder,
        generator_lora=choice.lora,
        generator_vendors=", ".join(choice.vendors),
        generator_pixel_mm=choice.pixel_mm or 0.0,
    )


def read_words(text: str) -> tuple[str, ...]:
    """Words between commas."""
    words = (" ".join(word.split()) for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


@dataclass(frozen=True, slots=True)
class Generator:
    """What the window knows of the pack: its card alone.

    Attributes
    ----------
    folder
        Of the pack.
    paints
        Whether it can put lesions into breasts.
    lora
        The file that is put upon it; empty: none.
    pixel_mm
        What its user said of a folder without a card; None where the card says it.
    precision
        What it computes in on the device of new jobs, in a word.
    has_card
        Whether the folder says its words and sizes itself.
    draws
        Whether it makes whole breasts; one that does not paints into others.
    """

    folder: str
    name: str
    version: str
    vendors: tuple[str, ...]
    paints: bool
    lora: str = ""
    pixel_mm: float | None = None
    precision: str = Precision.FP32
    draws: bool = True
    has_card: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the studio's left column.

    Attributes
    ----------
    text
        The sentence as it is written, readable or not.
    prompt
        What the sentence said when it could last be read: what the chips show.
    problem
        What is wrong with the sentence; empty where nothing is.
    """

    text: str
    prompt: Prompt
    problem: str = ""
    count: int = 8
    seed: int = 1
    steps: int = STEPS
    guidance: float = GUIDANCE


def first_draft(generator: Generator) -> Draft:
    """What the studio begins with."""
    lesion = (LesionKind.MASS, Quadrant.UPPER_OUTER) if generator.paints else (None, None)
    prompt = Prompt(
        generator.vendors[0],
        ViewPosition.MLO,
        Area.MEDIUM,
        BreastDensity.C,
        Laterality.LEFT,
        *lesion,
    )
    return Draft(prompt_text(prompt), prompt)


def fit_draft(draft: Draft, generator: Generator) -> Draft:
    """What stands there, as far as another generator can make it."""
    prompt = draft.prompt
    if prompt.vendor not in generator.vendors:
        prompt = replace(prompt, vendor=generator.vendors[0])
    if not generator.paints:
        prompt = replace(prompt, lesion=None, quadrant=None)
    elif not generator.draws and prompt.lesion is None:
        prompt = replace(prompt, lesion=LesionKind.MASS, quadrant=Quadrant.UPPER_OUTER)
    return replace(draft, prompt=prompt, text=prompt_text(prompt), problem="")


def words_of_slot(slot: str, generator: Generator) -> tuple[str, ...]:
    """The words that a row of chips offers, as they stand in the sentence."""
    if slot == "vendor":
        return generator.vendors
    words = tuple(WORDS[slot])
    return (NO_LESION, *words) if slot == "lesion" else words


def chosen_word(draft: Draft, slot: str) -> str:
    """The word of a row that is chosen; empty where none is (the place of no lesion)."""
    value = getattr(draft.prompt, slot)
    if slot == "vendor":
        return str(value)
    if value is None:
        return NO_LESION if slot == "lesion" else ""
    return next(word for word, known in WORDS[slot].items() if known is value)


def is_open(draft: Draft, generator: Generator, slot: str, word: str) -> bool:
    """Whether a word may be chosen now."""
    if slot == "quadrant":
        return draft.prompt.lesion is not None
    if slot != "lesion":
        return True
    return generator.draws if word == NO_LESION else generator.paints


def choose(draft: Draft, slot: str, word: str) -> Draft:
    """Take a word, and write the sentence anew; one that could not be read is replaced."""
    value = word if slot == "vendor" else WORDS[slot].get(word)
    changes: dict[str, object] = {slot: value}
    if slot == "lesion":
        place = draft.prompt.quadrant or Quadrant.UPPER_OUTER
        changes["quadrant"] = None if value is None else place
    prompt = replace(draft.prompt, **changes)
    return replace(draft, prompt=prompt, text=prompt_text(prompt), problem="")


def write_text(draft: Draft, text: str, generator: Generator) -> Draft:
    """Take a sentence as it is written; the chips follow where it can be read."""
    if text == draft.text:
        return draft
    try:
        prompt = read_prompt(text, generator.vendors)
    except MammoError as error:
        return replace(draft, text=text, problem=str(error))
    if prompt.lesion and not generator.paints:
        said = translate(mark("This generator paints no lesions; end after the breast."))
        return replace(draft, text=text, problem=said)
    if not prompt.lesion and not generator.draws:
        said = translate(mark("This generator only paints lesions into breasts; name one."))
        return replace(draft, text=text, problem=said)
    return replace(draft, text=text, prompt=prompt, problem="")


def order_of(draft: Draft, generator: Generator, out: Path, reference: str = "") -> Order:
    """What the queue is given for a draft.

    Parameters
    ----------
    out
        A new folder.
    reference
        Manifest of images that the finished ones are compared with; empty: none.
    """
    return Order(
        out=str(out),
        prompts=(prompt_text(draft.prompt),),
        count=draft.count,
        seed=draft.seed,
        model=generator.folder,
        lora=(generator.lora,) if generator.lora else (),
        vendors=() if generator.has_card else generator.vendors,
        pixel_mm=generator.pixel_mm,
        steps=draft.steps,
        guidance=draft.guidance,
        sham_share=_sham_share(generator),
        reference=reference,
    )


def plan_order(
    draft: Draft, generator: Generator, out: Path, data: DataSet, wanted: int
) -> Order:
    """What the queue is given for a plan that fills what a data set lacks."""
    healthy = sum(lack.make for lack in plan_of(data, wanted) if lack.cell.lesion is None)
    shams = FILLED_SHAM_SHARE if generator.paints else 0.0
    # Whole breasts are what can be compared.
    reference = "" if shams else reference_of(data, generator, healthy)
    order = order_of(draft, generator, out, reference)
    return replace(
        order, prompts=(), count=0, plan=data.folder, wanted=wanted, sham_share=shams
    )


def reference_of(data: DataSet | None, generator: Generator, healthy: int) -> str:
    """The data set that a batch is compared with; empty where there is too little to measure.

    Parameters
    ----------
    healthy
        Images without a lesion that are asked for: of these, whole breasts are compared.
    """
    whole = healthy * (1 - _sham_share(generator))
    if data is None or min(whole, sum(data.census.images.values())) < MEASURABLE:
        return ""
    return data.folder


def _sham_share(generator: Generator) -> float:
    return SHAM_SHARE if generator.paints else 0.0


def new_folder(parent: Path, seed: int, day: str) -> Path:
    """Where a batch goes: a folder that is not there yet.

    Parameters
    ----------
    day
        ISO 8601.
    """
    name = f"{day}-seed-{seed}"
    names = chain((name,), (f"{name}-{number}" for number in count(2)))
    return next(parent / each for each in names if not (parent / each).exists())


def headline(generator: Generator, device: str) -> str:
    """The pack and the device: ``"generator 1.0.0 · paints lesions · CPU, fp32"``."""
    name = f"{generator.name} {generator.version}"
    if generator.lora:
        name += f" + {PurePath(generator.lora).stem}"
    paints = translate("paints lesions") if generator.paints else translate("no lesions")
    if not generator.draws:
        paints = translate("only paints lesions")
    return f"{name} · {paints} · {device}, {generator.precision}"
