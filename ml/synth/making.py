"""A generation from its order to its folder: what the command line and the job process call.

`run` streams: a batch is drawn, looked at by the filters, written and forgotten. Every image is
told as it is finished, by ``control.say(done, of, news)``, where `news` is

    {"path": "/out/00001.dcm",       the DICOM file; below rejected/ where it was refused
     "thumbnail": "/out/00001.png",  16 bits, the same pixels
     "prompt": "a alpha mammogram in CC view ...",
     "kept": true,                   false: the filters refused it, and another try follows
     "reason": ""}                   a marked sentence (ml.texts.translate); may stand beside
                                     kept = true where the order keeps all

and `done` counts images that are settled: kept, or given up after `TRIES`. A run that goes on
in a folder begins with what is there. After the last image comes, where a reference was given,
``{"quality": "/out/quality.json"}`` (`ml.synth.comparing.QualityReport`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.control import NOBODY, Control
from ml.errors import DataError, ModelError
from ml.manifest import read_manifest
from ml.places import GENERATOR, models_folder
from ml.registry import file_sha256
from ml.synth.balance import lacks, prompts_of, take_census
from ml.synth.filters import Judge
from ml.synth.hosts import hosts_of
from ml.synth.lesions import NoRoomError, paint_lesion
from ml.synth.memory import Batches, batch_for, device_of_order
from ml.synth.order import Order
from ml.synth.output import BITS, Generated, Making, writing
from ml.synth.pack import GeneratorPack, read_any, read_lora
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import prompt_text, read_prompt
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.synth.hosts import Host, Hosts
    from ml.synth.lesions import Painted
    from ml.synth.output import Writing
    from ml.synth.pipeline import Generator
    from ml.synth.prompts import Prompt

__all__ = ["TRIES", "Order", "run"]

# Images that are made for one number before it is given up.
TRIES = 3
SEED_BITS = 48


@dataclass(frozen=True, slots=True)
class Task:
    """One image to make.

    Attributes
    ----------
    number
        From 1, its place in the order and the name of its file.
    painted
        Into a host, instead of drawn whole.
    """

    number: int
    prompt: Prompt
    seed: int
    painted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A finished image, and why it should not be used: empty where it may be."""

    image: Generated
    reason: str


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Make what an order asks for, or what is missing of it in its folder.

    Parameters
    ----------
    spec
        `Order.to_json`.
    control
        Asked between steps, told of every image (see above).

    Raises
    ------
    MammoError
        What cannot be made, and what to do; finished images stay.
    Stopped
        Where `control` ends the work; finished images stay.
    """
    order = Order.from_json(spec)
    pack = pack_of(order)
    prompts = prompts_of_order(order, pack.card.vendors)
    _refuse_what_it_cannot(pack, order, prompts)
    lora = tuple(read_lora(Path(one)) for one in order.lora)
    device = device_of_order(order.device)
    with writing(Path(order.out), order.identity()) as write:
        studio = Studio(order, pack, lora, device, control)
        studio.make(prompts, write)
    if order.reference:
        _measure(order, pack, control)


def pack_of(order: Order) -> GeneratorPack:
    """The checked pack that an order names.

    Raises
    ------
    ModelError
        Where it is no model, or not whole.
    """
    named = models_folder() / (order.model or GENERATOR)
    folder = Path(order.model) if order.model and Path(order.model).is_dir() else named
    if not folder.is_dir():
        raise ModelError(
            mark("There is no generator “{model}”; name the folder of one."),
            model=order.model or GENERATOR,
        )
    return read_any(folder, order.vendors, order.pixel_mm)


def prompts_of_order(order: Order, vendors: Sequence[str]) -> tuple[Prompt, ...]:
    """All images' prompts, in turn where there are more images than sentences.

    Raises
    ------
    DataError
        Where a sentence cannot be read, or the plan has nothing to make.
    """
    if order.plan:
        plan = lacks(take_census(read_manifest(Path(order.plan))), order.wanted)
        made = tuple(prompts_of(plan, vendors, order.seed))
        if not made:
            raise DataError(
                mark("The data set has {wanted} images of every kind already; ask for more."),
                wanted=order.wanted,
            )
        return made
    known = [read_prompt(text, vendors) for text in order.prompts]
    count = order.count or len(known)
    return tuple(known[number % len(known)] for number in range(count))


def _refuse_what_it_cannot(
    pack: GeneratorPack, order: Order, prompts: Sequence[Prompt]
) -> None:
    if not pack.paints and any(prompt.lesion for prompt in prompts):
        raise ModelError(
            mark("The model {model} paints no lesions; leave them out, or use the other one."),
            model=pack.card.name,
        )
    if not pack.paints and order.sham_share:
        raise ModelError(
            mark(
                "The model {model} draws whole breasts only: ask for no sham edits "
                "(--sham-share 0)."
            ),
            model=pack.card.name,
        )
    painted = (_is_painted(order, n, prompt) for n, prompt in enumerate(prompts, 1))
    if all(painted):
        return
    if not pack.draws:
        raise ModelError(
            mark(
                "The model {model} only paints into breasts: ask for lesions, or for sham "
                "edits alone (--sham-share 1), or use another model."
            ),
            model=pack.card.name,
        )
    if pack.card.breast_mm is None:
        raise ModelError(
            mark("The model {model} does not say how large its pixels are; give their size."),
            model=pack.card.name,
        )


def _task(order: Order, number: int, prompt: Prompt, attempt: int) -> Task:
    words = np.random.SeedSequence((order.seed, number, attempt)).generate_state(2, np.uint64)
    seed = int(words[0]) >> (64 - SEED_BITS)
    return Task(number, prompt, seed, painted=_is_painted(order, number, prompt))


def _is_painted(order: Order, number: int, prompt: Prompt) -> bool:
    """A lesion always; of the healthy ones a share, the same ones at every attempt."""
    if prompt.lesion is not None:
        return True
    return bool(np.random.default_rng((order.seed, number, 23)).random() < order.sham_share)


@dataclass(eq=False)
class Studio:
    """All that makes images of one order; it changes only where memory runs out."""

    order: Order
    pack: GeneratorPack
    lora: tuple[Path, ...]
    device: str
    control: Control
    _generator: Generator = field(init=False)
    _hosts: Hosts = field(init=False)
    _judge: Judge = field(init=False)
    _batches: Batches = field(init=False)
    _lora_told: str = field(init=False)

    def __post_init__(self) -> None:
        self._load(self.device)
        self._hosts = hosts_of(self.order.host)
        self._judge = Judge.of(self.pack)
        told = (f"{path.name} sha256 {file_sha256(path)}" for path in self.lora)
        self._lora_told = ", ".join(told)
        on_cuda = self.device == "cuda"
        self._batches = Batches(
            batch_for(self.device, self._generator.pixels),
            self.control,
            self._to_cpu if on_cuda and self.order.cpu_allowed else None,
            on_cuda=on_cuda,
        )

    def make(self, prompts: Sequence[Prompt], write: Writing) -> None:
        """Make all images that are not there yet.

        Raises
        ------
        MammoError
            As `run`.
        """
        settled = sum(self._is_settled(write, number + 1) for number in range(len(prompts)))
        self.control.say(settled, len(prompts))
        for tasks in self._together(self._missing(prompts, write)):
            while tasks:
                again = []
                for task, made in self._batches.computed(tasks, self._made):
                    path = self._written(task, made, write)
                    if self._is_settled(write, task.number):
                        settled += 1
                    else:
                        tries = write.refused(task.number)
                        again.append(_task(self.order, task.number, task.prompt, tries))
                    news = _news(path, made, kept=write.is_kept(task.number))
                    self.control.say(settled, len(prompts), news)
                tasks = again

    def _is_settled(self, write: Writing, number: int) -> bool:
        return write.is_kept(number) or write.refused(number) >= TRIES

    def _missing(self, prompts: Sequence[Prompt], write: Writing) -> Iterator[Task]:
        for number, prompt in enumerate(prompts, 1):
            if not self._is_settled(write, number):
                yield _task(self.order, number, prompt, write.refused(number))

    def _together(self, tasks: Iterator[Task]) -> Iterator[list[Task]]:
        """Whole breasts some at a time; what is painted alone, as its host is large."""
        waiting: list[Task] = []
        for task in tasks:
            if task.painted:
                yield [task]
                continue
            waiting.append(task)
            if len(waiting) >= self._batches.size:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _made(self, tasks: Sequence[Task]) -> Sequence[Made]:
        self.control.breathe()
        if tasks[0].painted:
            return [self._painted(task) for task in tasks]
        return self._drawn(tasks)

    def _drawn(self, tasks: Sequence[Task]) -> list[Made]:
        prompts, seeds = [t.prompt for t in tasks], [t.seed for t in tasks]
        drawn = self._generator.draw(prompts, seeds, self._sampling, self.control)
        return [self._whole(task, one) for task, one in zip(tasks, drawn, strict=True)]

    def _whole(self, task: Task, drawn: NDArray[np.float32]) -> Made:
        pixels = np.asarray(np.round(drawn * ((1 << BITS) - 1)), np.uint16)
        size = self.pack.card.breast_mm
        assert size is not None  # refused before
        making = self._making(task, self.pack.weights_sha256)
        reason = self._judge.drawn(drawn, size, task.prompt)
        return Made(Generated(pixels, size, making), reason)

    def _painted(self, task: Task) -> Made:
        seed, host, done = self._placed(task)
        reason = self._judge.painted(host.pixels, done, host.mammogram, task.prompt)
        pixels, box = host.upright(np.asarray(done.pixels, np.uint16), done.box)
        making = replace(
            self._making(task, self.pack.lesions_sha256),
            seed=seed,
            host=host.name,
            host_patient=host.patient,
        )
        image = Generated(
            pixels,
            host.pixel_mm,
            making,
            (box,) if task.prompt.lesion else (),
            painted=box,
            bits=host.bits,
            inverted=host.mammogram.pixel_format.inverted,
            window=host.window(),
        )
        return Made(image, reason)

    def _placed(self, task: Task) -> tuple[int, Host, Painted]:
        """The painted host; another one where the first has no room at that place."""
        for seed in range(task.seed, task.seed + TRIES - 1):
            with suppress(NoRoomError):
                return self._placed_by(seed, task.prompt)
        return self._placed_by(task.seed + TRIES - 1, task.prompt)

    def _placed_by(self, seed: int, prompt: Prompt) -> tuple[int, Host, Painted]:
        host, sampling = self._hosts.host(prompt, seed), self._sampling
        given = (self._generator, host.pixels, host.mammogram, prompt, seed, sampling)
        return seed, host, paint_lesion(*given, self.control)

    def _written(self, task: Task, made: Made, write: Writing) -> Path:
        if made.reason and not self.order.keep_all:
            return write.refuse(made.image, task.number, made.reason)
        return write.keep(made.image, task.number, made.reason)

    def _making(self, task: Task, weights: str) -> Making:
        order = self.order
        return Making(
            self.pack.card.key[:64],
            weights,
            task.prompt,
            task.seed,
            order.steps,
            order.guidance,
            lora=self._lora_told,
        )

    @property
    def _sampling(self) -> Sampling:
        return Sampling(self.order.steps, self.order.guidance)

    def _load(self, device: str) -> None:
        self._generator = load_generator(self.pack, device, self.lora)

    def _to_cpu(self) -> None:
        self.device = "cpu"
        self._load("cpu")


def _news(path: Path, made: Made, *, kept: bool) -> dict[str, object]:
    return {
        "path": str(path),
        "thumbnail": str(path.with_suffix(".png")),
        "prompt": prompt_text(made.image.making.prompt),
        "kept": kept,
        "reason": made.reason,
    }


def _measure(order: Order, pack: GeneratorPack, control: Control) -> None:
    """Measure the finished images; a few of them are finished too, only not measured."""
    from ml.synth.comparing import TooFewError
    from ml.synth.quality import measure_folder

    patients = pack.card.training_patients
    try:
        path = measure_folder(Path(order.out), Path(order.reference), patients, control)
    except TooFewError as error:
        control.log(str(error))
        return
    control.say(1, 1, {"quality": str(path)})
