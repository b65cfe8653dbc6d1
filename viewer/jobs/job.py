"""A job: work that must not run on the GUI thread. Jobs know nothing of Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

Result = TypeVar("Result")
Lane = Literal["disk", "model", "library"]


@dataclass(frozen=True, slots=True)
class Job(Generic[Result]):
    """A named piece of work.

    Attributes
    ----------
    title
        Shown to the reader while the job runs: ``"Reading 4 images"``.
    work
        Called with no arguments, on a thread of its lane. Where it returns a `Future`, the job
        ends when that does (what the model process was asked for).
    lane
        ``"disk"``: several at a time; ``"model"``: one after the other; ``"library"``: one
        after the other, short, and done to the last even when the program is closed.
    """

    title: str
    work: Callable[[], Result | Future[Result]]
    lane: Lane = "disk"
