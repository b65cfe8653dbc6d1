"""What a generation is asked to make: plain values, so that a queue can keep it in a table.

No torch here: a window may build an order without loading any model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS = 20
# More makes masses brighter than simulated ones are, and healthy tissue that is painted darker.
GUIDANCE = 1.5
DEVICES = ("auto", "cpu", "cuda")
# Hosts that are simulated one for each image, instead of a folder of real ones.
PHANTOM = "phantom"
MOST_STEPS = 1000
# What may differ between two runs that make the same images.
NOT_THE_IMAGES = ("out", "device", "cpu_allowed", "reference")


# A breast that was drawn whole and one that was painted in differ in all their pixels: healthy
# ones of the one kind beside lesions of the other would teach the kind.
FILLED_SHAM_SHARE = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """One generation; the same order makes the same images.

    Attributes
    ----------
    out
        Folder that gets the images and their tables.
    prompts
        Sentences of `ml.synth.prompts`, taken in turn.
    count
        Images; 0: one of each prompt.
    plan, wanted
        Instead of prompts: a manifest, and how many images each of its cells shall have
        (`ml.synth.balance`).
    seed
        Of everything that is drawn.
    model
        A pack's folder or its name under `ml.places.models_folder`; empty: the one that comes
        with the program.
    lora
        Files or folders (safetensors) that are put upon a Stable Diffusion folder.
    vendors, pixel_mm
        The makers' words and the pixel size of a Stable Diffusion folder without a card.
    steps, guidance
        Of sampling.
    device
        One of `DEVICES`; ``"auto"`` is a graphics card where there is one.
    cpu_allowed
        Where the graphics card has too little memory, go on with the processor.
    host
        What lesions are painted into: ``"phantom"``, or a folder of real healthy images.
    sham_share
        Share of the healthy images, 0 to 1, that are hosts too, with healthy tissue painted
        anew, so that an edit does not tell that there is a lesion. Where a plan is filled, the
        images are for training, and all are unless it is said otherwise (`FILLED_SHAM_SHARE`).
    keep_all
        Keep also what the filters refuse; the reason stands in the tables.
    reference
        Manifest of images that the finished ones are compared with (`ml.synth.quality`); empty:
        no comparison.
    """

    out: str
    prompts: tuple[str, ...] = ()
    count: int = 0
    plan: str = ""
    wanted: int = 0
    seed: int = 0
    model: str = ""
    lora: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    pixel_mm: float | None = None
    steps: int = STEPS
    guidance: float = GUIDANCE
    device: str = "auto"
    cpu_allowed: bool = False
    host: str = PHANTOM
    sham_share: float = 0.5
    keep_all: bool = False
    reference: str = ""

    def to_json(self) -> dict[str, object]:
        """As a queue keeps it: texts, numbers, truth values and lists of texts."""
        values = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @staticmethod
    def from_json(values: Mapping[str, object]) -> Order:
        """Back from plain values; what is missing is as by default.

        Raises
        ------
        DataError
            Where a name is unknown, or a value is not one that it may have.
        """
        known = {field.name for field in fields(Order)}
        if strange := sorted(values.keys() - known):
            raise _wrong(strange[0])
        if "out" not in values:
            raise _wrong("out")
        if values.get("plan"):
            values = {"sham_share": FILLED_SHAM_SHARE, **values}
        order = Order(
            **{k: tuple(v) if isinstance(v, list | tuple) else v for k, v in values.items()}  # type: ignore[arg-type]
        )
        _check(order)
        return order

    def identity(self) -> dict[str, object]:
        """What decides the images: a folder that holds others is not gone on with."""
        return {k: v for k, v in self.to_json().items() if k not in NOT_THE_IMAGES}


KINDS: dict[type, tuple[str, ...]] = {
    tuple: ("prompts", "lora", "vendors"),
    str: ("out", "plan", "model", "device", "host", "reference"),
    bool: ("cpu_allowed", "keep_all"),
}


def _check(order: Order) -> None:
    for kind, names in KINDS.items():
        for name in names:
            value = getattr(order, name)
            if not isinstance(value, kind):
                raise _wrong(name)
            if kind is tuple and not all(isinstance(one, str) for one in value):
                raise _wrong(name)
    _check_numbers(order)
    if order.device not in DEVICES:
        raise _wrong("device")
    if bool(order.prompts) == bool(order.plan):
        raise DataError(mark("Say what to generate: prompts, or a manifest to complete."))


def _check_numbers(order: Order) -> None:
    within: dict[str, tuple[float, float]] = {
        "count": (0, 10**7),
        "wanted": (1 if order.plan else 0, 10**6),
        "seed": (0, 2**63 - 1),
        "steps": (1, MOST_STEPS),
        "guidance": (0, 100),
        "sham_share": (0, 1),
    }
    if order.pixel_mm is not None:
        within["pixel_mm"] = (0.01, 5)
    for name, (low, high) in within.items():
        value = getattr(order, name)
        real = isinstance(value, int | float) and not isinstance(value, bool)
        whole = name in ("guidance", "sham_share", "pixel_mm") or isinstance(value, int)
        if not real or not whole or not low <= value <= high:
            raise _wrong(name)


def _wrong(name: str) -> DataError:
    return DataError(
        mark(
            "The order cannot be carried out: its value “{name}” is not one that it may have."
        ),
        name=name,
    )
