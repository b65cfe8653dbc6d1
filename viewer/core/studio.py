"""What the studio is asked to make: chips and a sentence that say the same, and the order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.synth.order import GUIDANCE, STEPS, Order
from ml.synth.prompts import WORDS, Area, LesionKind, Prompt, Quadrant, prompt_text, read_prompt
from ml.texts import mark, translate
from viewer.core.lacks import plan_of

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.core.lacks import DataSet

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
    (Chips("view", mark("View")), Chips("laterality", mark("Side"))),
    (Chips("density", mark("Density")),),
    (Chips("area", mark("Area")),),
    (Chips("lesion", mark("Lesion")),),
    (Chips("quadrant", mark("Place")),),
)


@dataclass(frozen=True, slots=True)
class Generator:
    """What the window knows of the pack: its card alone.

    Attributes
    ----------
    folder
        Of the pack.
    paints
        Whether it can put lesions into breasts.
    """

    folder: str
    name: str
    version: str
    vendors: tuple[str, ...]
    paints: bool


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
    return slot != "lesion" or generator.paints or word == NO_LESION


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
    order = order_of(draft, generator, out, reference_of(data, generator, healthy))
    return replace(order, prompts=(), count=0, plan=data.folder, wanted=wanted)


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
    """The pack and the device in one line: ``"generator 1.0.0 · paints lesions · CPU"``."""
    paints = translate("paints lesions") if generator.paints else translate("no lesions")
    return f"{generator.name} {generator.version} · {paints} · {device}"
