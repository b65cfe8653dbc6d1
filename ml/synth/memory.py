"""How many images are computed at once, and what becomes of it where memory runs out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch

from ml.errors import MammoError, ModelMemoryError
from ml.infer.choice import DEVICE_VARIABLE
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from ml.control import Control

    Task = TypeVar("Task")
    Made = TypeVar("Made")

# Bytes of free memory that each pixel of an image takes: Stable Diffusion's decoder at 512 x
# 512 in half precision takes about 1.5 GiB, the small networks a tenth of it.
BYTES_A_PIXEL = 6000
# On a processor more at once is no faster, and a pause is waited for longer.
CPU_BATCH, MOST_BATCH = 2, 32
# Share of what is free that may be taken.
SHARE = 0.5
# What torch says where a processor's memory cannot be had (c10, CPUAllocator).
CPU_SAYS = "can't allocate memory"


def device_of_order(asked: str) -> str:
    """What to compute on.

    Parameters
    ----------
    asked
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    MammoError
        Where a graphics card is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise MammoError(mark("There is no graphics card that can be used; choose the CPU."))
    if asked == "auto":
        wanted = os.environ.get(DEVICE_VARIABLE, "auto").lower() != "cpu"
        return "cuda" if there and wanted else "cpu"
    return asked


def capability_of_device(device: str) -> tuple[int, int] | None:
    """The graphics card's compute capability; None on a processor."""
    return torch.cuda.get_device_capability() if device == "cuda" else None


def batch_for(device: str, pixels: int) -> int:
    """How many images of so many pixels are computed at once, from the memory that is free."""
    if device == "cpu":
        return CPU_BATCH
    free, _ = torch.cuda.mem_get_info()
    return int(min(max(SHARE * free // (BYTES_A_PIXEL * pixels), 1), MOST_BATCH))


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and CPU_SAYS in str(error)


class Batches:
    """Computes tasks some at a time, and fewer where memory does not suffice.

    Parameters
    ----------
    size
        To begin with.
    to_cpu
        Goes on with the processor; None where that is not allowed, or is where it computes.
    """

    def __init__(
        self,
        size: int,
        control: Control,
        to_cpu: Callable[[], None] | None,
        *,
        on_cuda: bool,
    ) -> None:
        self.size = size
        self._control, self._to_cpu, self._on_cuda = control, to_cpu, on_cuda

    def computed(
        self, tasks: Sequence[Task], compute: Callable[[Sequence[Task]], Sequence[Made]]
    ) -> Iterator[tuple[Task, Made]]:
        """Each task with what was made of it, in their order.

        Raises
        ------
        ModelMemoryError
            Where there is too little memory for even one.
        """
        rest = tasks
        while rest:
            some = rest[: self.size]
            try:
                made = compute(some)
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error):
                    raise
                self._with_less(len(some), error)
                continue
            yield from zip(some, made, strict=True)
            rest = rest[len(some) :]

    def _with_less(self, tried: int, error: Exception) -> None:
        if self._on_cuda:
            torch.cuda.empty_cache()
        if tried > 1:
            self.size = tried // 2
            sentence = translate(mark("Too little memory for {tried} at once: now {size}."))
            self._control.log(sentence.format(tried=tried, size=self.size))
        elif self._on_cuda and self._to_cpu is not None:
            self._control.log(
                translate(mark("Too little memory on the graphics card: the CPU goes on."))
            )
            self._to_cpu()
            self._on_cuda, self.size = False, CPU_BATCH
        else:
            raise self._too_little() from error

    def _too_little(self) -> ModelMemoryError:
        if self._on_cuda:
            return ModelMemoryError(
                mark(
                    "The graphics card has too little memory for even one image; allow the "
                    "CPU to go on, which is slower, or close what else uses the card."
                )
            )
        return ModelMemoryError(
            mark("There is too little memory for even one image; close other programs.")
        )
