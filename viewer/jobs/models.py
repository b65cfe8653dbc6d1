"""The model process, as the viewer sees it: prepared images in, an `Analysis` out.

The process may run out of memory, or be killed, without the reading session noticing more
than a delay: what it was doing is asked once more of a fresh process, then given up.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from ml.errors import ModelError, ModelMemoryError
from ml.exchange import (
    error_from_message,
    image_to_message,
    read_message,
    share_pixels,
    write_message,
)
from ml.findings_json import analysis_from_json
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.shared_memory import SharedMemory
    from pathlib import Path

    from ml.exchange import Message, PreparedImage
    from ml.findings import Analysis

Progress = Callable[[int, int], None]

# Nothing that a model library might want from the network may be asked for.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "False",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "DO_NOT_TRACK": "1",
}
_TRIES = 2
_LEAVE_S = 0.5


@dataclass(slots=True, eq=False)
class _Pending:
    message: Message
    future: Future[object]
    blocks: list[SharedMemory]
    progress: Progress
    tries: int = 0

    @property
    def in_shadow(self) -> bool:
        return "shadow" in self.message


class ModelProcess:
    """Starts the model process when it is wanted, and again when it died.

    Parameters
    ----------
    command
        What to start; None: this program as ``worker``.
    environment
        Added to the child's environment.

    Attributes
    ----------
    environment
        All of the child's.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command or worker_command())
        self.environment = {**os.environ, **OFFLINE, **(environment or {})}
        self._lock = threading.RLock()
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        with self._lock:
            return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, so that it loads the models while the reader opens a study."""
        with self._lock:
            self._started()

    def hello(self) -> Future[Message]:
        """Ask for the engine and the models' versions, when they are loaded."""
        return cast("Future[Message]", self._ask({"type": "hello"}, []))

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer; what is in shadow counts as nobody."""
        with self._lock:
            return any(not item.in_shadow for item in self._pending.values())

    def submit(
        self,
        images: Sequence[PreparedImage],
        progress: Progress = lambda done, of: None,
        shadow: Path | None = None,
    ) -> Future[Analysis]:
        """Ask for an analysis.

        Parameters
        ----------
        progress
            Called on the receiving thread with how many images are done, of how many.
        shadow
            Folder of a pack that stands in for the model of its role; it is asked when nobody
            waits for another answer, and once only. None: the models in use.

        Returns
        -------
        Future
            Fails with `ModelError` where the models cannot be used, `ModelMemoryError` where
            the process died twice over it. Cancelling it stops the work.
        """
        blocks = [[share_pixels(one.pixels) for one in i.canvases] for i in images]
        items = [image_to_message(i, some) for i, some in zip(images, blocks, strict=True)]
        own = [block for some in blocks for block in some]
        message: Message = {"type": "analyze", "images": items}
        if shadow is not None:
            message["shadow"] = str(shadow)
        return cast("Future[Analysis]", self._ask(message, own, progress))

    def renew(self) -> None:
        """Have what comes next done by a fresh process: other models are in use.

        What was asked and not answered yet is asked again.
        """
        with self._lock:
            process, self._process = self._process, None
            for item in self._pending.values():
                self._send(item)
        if process is not None:
            threading.Thread(target=_end, args=(process,), name="old models").start()

    def close(self) -> None:
        """End the process, within a second; what is pending is cancelled."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
            pending = list(self._pending.values())
        for item in pending:
            item.future.cancel()
        if process is not None:
            _end(process)

    def _ask(
        self,
        message: Message,
        blocks: list[SharedMemory],
        progress: Progress = lambda done, of: None,
    ) -> Future[object]:
        future: Future[object] = Future()
        number = next(self._ids)
        item = _Pending({**message, "id": number}, future, blocks, progress)
        with self._lock:
            if self._closed:
                _release(blocks)
                future.cancel()
                return future
            self._pending[number] = item
            self._send(item)
        future.add_done_callback(lambda done: self._ended(number, done))
        return future

    def _send(self, item: _Pending) -> None:
        item.tries += 1
        try:
            process = self._started()
        except OSError as error:
            _fail(item.future, _no_start(error))
            return
        # A process that is dead already: its receiving thread sees the end and tries again.
        with suppress(OSError):
            write_message(cast("BinaryIO", process.stdin), item.message)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self.environment,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            threading.Thread(
                target=self._receive, args=(self._process,), name="models", daemon=True
            ).start()
        return self._process

    def _receive(self, process: subprocess.Popen[bytes]) -> None:
        replies = cast("BinaryIO", process.stdout)
        try:
            while (message := read_message(replies)) is not None:
                self._take(process, message)
        except (OSError, ValueError):
            process.kill()
        self._died(process)

    def _take(self, process: subprocess.Popen[bytes], message: Message) -> None:
        with self._lock:
            item = self._pending.get(cast("int", message["id"]))
            # One that was replaced has the models that were in use before.
            renewed = self._process is not None and self._process is not process
        if item is None or renewed:
            return
        kind = message["type"]
        if kind == "progress":
            item.progress(cast("int", message["done"]), cast("int", message["of"]))
        elif kind == "failed":
            _fail(item.future, error_from_message(cast("Message", message["error"])))
        elif kind == "done":
            self._deliver(item.future, message)
        else:
            _succeed(item.future, message)

    def _deliver(self, future: Future[object], message: Message) -> None:
        try:
            analysis = analysis_from_json(message["analysis"])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the analysis
            _fail(future, error)
        else:
            _succeed(future, analysis)

    def _died(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                cast("BinaryIO", pipe).close()
        with self._lock:
            if self._process is not process:
                return
            self._process = None
            items = [item for item in self._pending.values() if not item.future.done()]
            # The oldest one was at work; only that one may be to blame, but all are lost.
            # What nobody waits for must not end the process a second time.
            again = [item for item in items if item.tries < _TRIES and not item.in_shadow]
            for item in again:
                self._send(item)
        for item in items:
            if item not in again:
                _fail(item.future, _out_of_memory())

    def _ended(self, number: int, future: Future[object]) -> None:
        with self._lock:
            item = self._pending.pop(number, None)
            process = self._process
            if item is not None and future.cancelled() and process is not None:
                with suppress(OSError, ValueError):
                    cancel: Message = {"type": "cancel", "id": number}
                    write_message(cast("BinaryIO", process.stdin), cancel)
        if item is not None:
            _release(item.blocks)


def worker_command() -> list[str]:
    """How this program starts itself as the model process."""
    return program("worker")


def program(command: str) -> list[str]:
    """How this program starts itself with a command."""
    if getattr(sys, "frozen", False):
        return [sys.executable, command]
    return [sys.executable, "-m", "viewer", command]


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError, ValueError):
        write_message(cast("BinaryIO", process.stdin), {"type": "shutdown", "id": 0})
    try:
        process.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _release(blocks: list[SharedMemory]) -> None:
    for block in blocks:
        block.close()
        block.unlink()


def _out_of_memory() -> ModelMemoryError:
    return ModelMemoryError(
        mark(
            "The model process ended twice over this study, probably for want of memory. "
            "Close other programs and analyze again."
        )
    )


def _no_start(error: OSError) -> ModelError:
    return ModelError(
        mark("The model process cannot be started; install the program again."),
        detail=type(error).__name__,
    )


def _succeed(future: Future[object], result: object) -> None:
    # Cancelled a moment ago: nobody waits.
    with suppress(InvalidStateError):
        future.set_result(result)


def _fail(future: Future[object], error: Exception) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)
