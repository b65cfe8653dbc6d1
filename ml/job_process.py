"""The process of one long job: started by name, spoken to over its standard input and output.

The first request is ``run`` (a kind and its spec); then come ``pause`` and ``resume``, ``hold``
and ``release`` (an analysis wants the device), and ``stop``. Replies: ``started``, ``progress``
(done, of, news, seconds of work), ``log``, ``memory``, ``paused``, ``held``, ``going``, and in
the end one of ``done``, ``stopped`` and ``failed``. When the input ends the viewer is gone: the
work is stopped as if asked, and the process leaves.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.control import Control, Stopped
from ml.errors import MammoError, ModelMemoryError
from ml.exchange import error_to_message, read_message, write_message
from ml.texts import mark
from ml.worker import forbid_network, own_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from ml.exchange import Message

    Work = Callable[[Mapping[str, object], Control], None]

# Where the work of each kind is: found when it is asked for, for an edition may lack it.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "generate": "ml.synth.making:run",
        "train": "ml.train.run:run",
        "audit": "ml.train.run:run_audit",
        "compare": "ml.train.promotion:run",
        "helps": "ml.train.helps:run",
        "screen": "ml.screen.run:run",
    }
)
# Behind the viewer and the model process, on whatever the reader leaves free.
_NICENESS = 10
# How long work may take to end tidily once nobody listens.
_GRACE_S = 3.0
_MEMORY_EVERY_S = 2.0
_PROGRESS_EVERY_S = 0.1
_REASONS = {"pause": "pause", "resume": "pause", "hold": "hold", "release": "hold"}


class JobControl(Control):
    """Steers the work as the viewer asks, and tells the viewer how far it is.

    Parameters
    ----------
    tell
        Called with a reply's type and its content; from any thread of the work.
    """

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._changed = threading.Condition()
        self._reasons: set[str] = set()
        self._stopped = False
        self._began = time.monotonic()
        self._waited_s = 0.0
        self._memory_at = self._progress_at = 0.0

    def take(self, request: str) -> None:
        """Follow a request; one that is not known changes nothing."""
        with self._changed:
            if request == "stop":
                self._stopped = True
            elif request in ("pause", "hold"):
                self._reasons.add(request)
            elif request in _REASONS:
                self._reasons.discard(_REASONS[request])
            self._changed.notify_all()

    def breathe(self) -> None:
        """Wait while the job is paused or held.

        Raises
        ------
        Stopped
            Where the job is to end.
        """
        with self._changed:
            if self._reasons and not self._stopped:
                self._wait()
            if self._stopped:
                raise Stopped
        self._tell_memory()

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Tell how far the work is: all news, and numbers alone a few times a second."""
        now = time.monotonic()
        if not news and done < of and now - self._progress_at < _PROGRESS_EVERY_S:
            return
        self._progress_at = now
        worked_s = now - self._began - self._waited_s
        self._tell("progress", done=done, of=of, news=dict(news or {}), worked_s=worked_s)

    def log(self, sentence: str) -> None:
        """Tell one thing in words."""
        self._tell("log", sentence=sentence)

    def _wait(self) -> None:
        began, told = time.monotonic(), ""
        while self._reasons and not self._stopped:
            now = "paused" if "pause" in self._reasons else "held"
            if now != told:
                self._tell(now)
                told = now
            self._changed.wait()
        self._waited_s += time.monotonic() - began
        self._tell("going")

    def _tell_memory(self) -> None:
        now = time.monotonic()
        if now - self._memory_at >= _MEMORY_EVERY_S:
            self._memory_at = now
            self._tell("memory", bytes=peak_memory_bytes())


class JobProcess:
    """Does one job.

    Parameters
    ----------
    replies
        Where replies are written.
    kinds
        Where the work of each kind is: ``"module:function"``.
    """

    def __init__(self, replies: BinaryIO, kinds: Mapping[str, str] = KINDS) -> None:
        self._replies = replies
        self._kinds = kinds
        self._lock = threading.Lock()
        self.control = JobControl(self._say)

    def receive(self, requests: BinaryIO) -> None:
        """Take requests in until the input ends, then stop (for a thread of its own)."""
        try:
            while (message := read_message(requests)) is not None:
                self.control.take(str(message["type"]))
        finally:
            self.control.take("stop")

    def run(self, message: Message) -> None:
        """Do what a ``run`` asks for; however that ends becomes a reply."""
        self._say("started", pid=os.getpid())
        try:
            work = find_work(self._kinds, str(message["kind"]))
            work(cast("Message", message["spec"]), self.control)
        except Stopped:
            self._say("stopped")
        except Exception as error:  # noqa: BLE001 - the process boundary: it goes to the viewer
            self._say("failed", error=error_to_message(_told(error)))
        else:
            self._say("memory", bytes=peak_memory_bytes())
            self._say("done")

    def _say(self, kind: str, **content: object) -> None:
        with self._lock:
            try:
                write_message(self._replies, {"type": kind, **content})
            except OSError:
                # Nobody listens any more: `receive` sees that too, and stops the work.
                return


def find_work(kinds: Mapping[str, str], kind: str) -> Work:
    """The function that does a kind of work.

    Raises
    ------
    MammoError
        Where this edition of the program cannot do it.
    """
    module, _, name = kinds.get(kind, "").partition(":")
    try:
        known = bool(module) and find_spec(module) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        raise MammoError(
            mark("This edition of the program cannot do jobs of the kind {kind}."), kind=kind
        )
    return cast("Work", getattr(import_module(module), name))


def peak_memory_bytes() -> int:
    """The most memory that this process had: of the GPU where it uses one."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_reserved())
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: Linux counts what the viewer had before it became this process.
        lines = status.read_text().splitlines()
        return next(int(each.split()[1]) * 1024 for each in lines if each.startswith("VmHWM:"))
    import psutil

    memory = psutil.Process().memory_info()
    return int(getattr(memory, "peak_wset", memory.rss))


def main(kinds: Mapping[str, str] = KINDS) -> int:
    """Do one job and leave."""
    requests, replies = own_streams()
    sys.addaudithook(forbid_network)
    _stand_back()
    message = read_message(requests)
    if message is None:
        return 0
    process = JobProcess(replies, kinds)
    threading.Thread(target=_receive_and_leave, args=(process, requests), daemon=True).start()
    process.run(message)
    # At once: the other thread still reads, and what a library cleans up is of no use.
    os._exit(0)


def _receive_and_leave(process: JobProcess, requests: BinaryIO) -> None:
    try:
        process.receive(requests)
    finally:
        time.sleep(_GRACE_S)
        os._exit(0)


def _stand_back() -> None:
    # A key on the terminal interrupts the viewer, which then stops this process in its own way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(_NICENESS)


def _told(error: Exception) -> Exception:
    """An error as the user can act on it, where she can."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return ModelMemoryError(
            mark(
                "There was not enough memory; what is finished stays. Close other programs or "
                "ask for less at once, and try again."
            )
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MammoError(
            mark("The disk is full; what is finished stays. Make room and try again.")
        )
    if isinstance(error, OSError):
        # Without the file's name: it may be a patient's.
        return MammoError(
            mark("A file cannot be read or written ({why}); what is finished stays."),
            why=error.strerror or type(error).__name__,
        )
    return error
