"""The model process: started by name, spoken to over its standard input and output.

Requests: ``hello``, ``analyze`` (an id and prepared images), ``cancel`` (an id), ``shutdown``.
Replies: ``hello``, ``progress``, ``done`` and ``failed``, with the id of their request. The
models load right at the start, before anybody asks. When the input ends the viewer is gone,
and so is this process.

An analysis that names a pack is one in ``shadow``: that pack stands in for the model of its
role. It is answered when nothing else waits, and its pack is loaded on a thread of its own.
"""

from __future__ import annotations

import itertools
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.errors import MammoError
from ml.exchange import error_to_message, image_from_message, read_message, write_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from ml.exchange import Message
    from ml.findings import ImageAnalysis
    from ml.infer.reader import MammogramReader

_FORBIDDEN = frozenset({"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"})


class NetworkForbiddenError(RuntimeError):
    """Some library tried to reach the network: a bug."""


class Worker:
    """Answers requests one after the other.

    Parameters
    ----------
    replies
        Where replies are written.
    load
        Gives the loaded models, or raises why there are none.
    load_shadow
        Gives the same with the pack of a folder in place of that of its role.
    """

    def __init__(
        self,
        replies: BinaryIO,
        load: Callable[[], MammogramReader],
        load_shadow: Callable[[MammogramReader, str], MammogramReader] | None = None,
    ) -> None:
        self._replies = replies
        self._load = load
        self._load_shadow = load_shadow or _load_shadow
        # Of the last folder: versions in shadow are few, and each costs memory.
        self._shadow: tuple[str, MammogramReader | Exception] | None = None
        self._reader: MammogramReader | None = None
        self._error: Exception | None = None
        self._requests: queue.PriorityQueue[tuple[bool, int, Message]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._cancelled: set[object] = set()

    def receive(self, requests: BinaryIO) -> None:
        """Take requests in until the input ends (for a thread of its own)."""
        while (message := read_message(requests)) is not None:
            if message["type"] == "shutdown":
                return
            if message["type"] == "cancel":
                self._cancelled.add(message["id"])
            else:
                self._put(message)

    def run(self) -> None:
        """Load the models, then answer for ever."""
        self._load_models()
        while True:
            self.answer(self._requests.get()[-1])

    def answer(self, message: Message) -> None:
        """Answer one request; an error becomes a reply."""
        if self._waits_for_shadow(message):
            return
        try:
            if message["type"] == "hello":
                self._say("hello", message, **self._hello())
            else:
                self._analyze(message)
        except Exception as error:  # noqa: BLE001 - the process boundary: it goes to the viewer
            self._say("failed", message, error=error_to_message(error))
        self._cancelled.discard(message["id"])

    def _put(self, message: Message) -> None:
        """Behind all that came before, and what is in shadow behind all that is not."""
        self._requests.put((bool(message.get("shadow")), next(self._numbers), message))

    def _waits_for_shadow(self, message: Message) -> bool:
        """Begin to load the pack that a request names, where it is another than the last."""
        folder = str(message.get("shadow") or "")
        live = self._reader
        if not folder or live is None or (self._shadow and self._shadow[0] == folder):
            return False

        def load() -> None:
            try:
                loaded = self._load_shadow(live, folder)
            except Exception as error:  # noqa: BLE001 - told to whoever asked for the analysis
                loaded = error
            self._shadow = (folder, loaded)
            self._put(message)

        threading.Thread(target=load, name="shadow", daemon=True).start()
        return True

    def _load_models(self) -> None:
        try:
            self._reader = self._load()
        except Exception as error:  # noqa: BLE001 - told to whoever asks for an analysis
            self._error = error

    def _models(self) -> MammogramReader:
        if self._reader is None:
            raise self._error or MammoError("The models are not loaded.")
        return self._reader

    def _models_for(self, message: Message) -> MammogramReader:
        if not message.get("shadow"):
            return self._models()
        self._models()
        assert self._shadow is not None
        if isinstance(self._shadow[1], Exception):
            raise self._shadow[1]
        return self._shadow[1]

    def _hello(self) -> dict[str, object]:
        models = self._models()
        versions = {role: pack.card.version for role, pack in models.packs.items()}
        return {"engine": models.engine, "models": versions, "pid": os.getpid()}

    def _analyze(self, message: Message) -> None:
        from ml.findings_json import analysis_to_json

        models = self._models_for(message)
        given = cast("list[Message]", message["images"])
        done: list[ImageAnalysis] = []
        for item in given:
            if message["id"] in self._cancelled:
                return
            done.append(models.analyze_prepared(image_from_message(item)))
            self._say("progress", message, done=len(done), of=len(given))
        document = analysis_to_json(models.analysis(done), heat_maps=True)
        self._say("done", message, analysis=document)

    def _say(self, kind: str, request: Message, **content: object) -> None:
        write_message(self._replies, {"type": kind, "id": request["id"], **content})


def main() -> int:
    """Run until the input ends or a ``shutdown`` comes."""
    requests, replies = own_streams()
    sys.addaudithook(forbid_network)
    worker = Worker(replies, _load_reader)
    thread = threading.Thread(target=_receive_and_leave, args=(worker, requests), daemon=True)
    thread.start()
    try:
        worker.run()
    except (BrokenPipeError, KeyboardInterrupt):
        return 0
    return 0


def _receive_and_leave(worker: Worker, requests: BinaryIO) -> None:
    # At once and without clean-up: whoever waited for an answer is gone.
    try:
        worker.receive(requests)
    finally:
        os._exit(0)


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Take input and output for messages; what libraries print goes to the error stream."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def forbid_network(event: str, arguments: tuple[object, ...]) -> None:
    """For `sys.addaudithook`: no library of this process may reach the network.

    Raises
    ------
    NetworkForbiddenError
        Where one tries.
    """
    if event in _FORBIDDEN:
        raise NetworkForbiddenError(event)


def _load_reader() -> MammogramReader:
    from ml.infer.reader import load_reader

    return load_reader()


def _load_shadow(live: MammogramReader, folder: str) -> MammogramReader:
    from ml.infer.reader import load_beside

    return load_beside(live, Path(folder))
