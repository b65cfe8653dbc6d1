"""One window a user: a second start hands its files to the first one and leaves.

Who holds the lock is the first; the lock falls with its process, so a socket that a dead one
left behind means nothing. The door is opened later, when there is something to see: a second
start waits for it as long as the lock is held.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QLockFile, QObject, Signal

from viewer.core.errors import StartError
from viewer.core.start import start_from_line, start_to_line

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

    from viewer.core.home import Home
    from viewer.core.start import Start

_log = logging.getLogger("viewer.qt")

# How long a start waits for the first one to open its door; it may be starting itself.
PATIENCE_S = 20.0
POLL_S = 0.05
CONNECT_MS = 300
# A first one that does not answer so long hangs: the reader gets a window of her own.
ANSWER_MS = 5000
LARGEST_BYTES = 4_000_000
TAKEN = b"ok\n"


class Answer(Enum):
    """What became of handing over."""

    TAKEN, SILENT, NOBODY = range(3)


class Claim:
    """The right to be the one program of a user and her home.

    Parameters
    ----------
    stem
        As `stem_of` names it.
    """

    def __init__(self, stem: Path) -> None:
        self._lock = QLockFile(f"{stem}.lock")
        # Only the end of its process frees it, however long that takes.
        self._lock.setStaleLockTime(0)
        # A Windows pipe has a name, no place.
        self.address = stem.name if sys.platform == "win32" else f"{stem}.socket"

    def take(self) -> bool:
        """Whether nobody else has it; also where no lock can be made, as on a full disk."""
        if self._lock.tryLock(0):
            return True
        return self._lock.error() is not QLockFile.LockError.LockFailedError

    def free(self) -> None:
        """Let the next start be the first."""
        self._lock.unlock()


def stem_of(home: Home) -> Path:
    """Where lock and socket of a user and her home are, without their endings."""
    user = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "")
    told = "\0".join((user, str(home.settings.absolute()), str(home.library.absolute())))
    name = f"mammoscope-{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:16]}"
    # The user's own where the system has one; a socket's path must be short.
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    own = bool(folder) and Path(folder).is_dir()
    return Path(folder if own else QDir.tempPath()) / name


def enter(start: Start, home: Home, patience_s: float = PATIENCE_S) -> Claim | None:
    """Be the first, or hand over to it.

    Returns
    -------
    Claim or None
        None: the first one has taken over what was asked for.
    """
    claim = Claim(stem_of(home))
    until = time.monotonic() + patience_s
    while not claim.take() and time.monotonic() < until:
        answer = hand_over(claim.address, start)
        if answer is Answer.TAKEN:
            return None
        if answer is Answer.SILENT:
            break
        time.sleep(POLL_S)
    return claim


def hand_over(address: str, start: Start) -> Answer:
    """Send what was asked for to the first one, and wait until it has it."""
    from PySide6.QtNetwork import QLocalSocket

    if not _is_ours(address):
        return Answer.NOBODY
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(CONNECT_MS):
        return Answer.NOBODY
    _let_come_to_the_front()
    socket.write(start_to_line(start))
    socket.flush()
    while not socket.canReadLine():
        if not socket.waitForReadyRead(ANSWER_MS):
            return Answer.SILENT
    return Answer.TAKEN if bytes(socket.readLine().data()) == TAKEN else Answer.SILENT


def _is_ours(address: str) -> bool:
    # Paths may name patients: they go to no other user who put a socket there.
    if sys.platform == "win32":
        return True
    try:
        return Path(address).stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False


def _let_come_to_the_front() -> None:
    if sys.platform == "win32":
        import ctypes

        # Windows lets only the program in front give that away; ASFW_ANY is -1.
        ctypes.windll.user32.AllowSetForegroundWindow(-1)


class Door(QObject):
    """Where other starts hand over what they were asked for.

    Parameters
    ----------
    claim
        That was taken.

    Signals
    -------
    asked : Start
        Another start's.
    """

    asked = Signal(object)

    def __init__(self, claim: Claim, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._claim = claim
        self._server: QLocalServer | None = None
        self._sockets: list[QLocalSocket] = []

    def open(self) -> bool:
        """Hear other starts from now on; False, and logged, where that cannot be."""
        from PySide6.QtNetwork import QLocalServer

        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        # What a dead one left; whoever holds the claim may take it away.
        QLocalServer.removeServer(self._claim.address)
        if not server.listen(self._claim.address):
            _log.info("other starts are not heard: %s", server.serverError().name)
            return False
        server.newConnection.connect(self._meet)
        self._server = server
        return True

    def close(self) -> None:
        """Hear nobody any more, and let the next start be the first."""
        sockets, self._sockets = self._sockets, []
        for socket in sockets:
            socket.abort()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._claim.free()

    def _meet(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            socket.readyRead.connect(self._hear_all)
            socket.disconnected.connect(self._hear_all)
            self._sockets.append(socket)
        self._hear_all()

    def _hear_all(self) -> None:
        from PySide6.QtNetwork import QLocalSocket

        for socket in tuple(self._sockets):
            self._hear(socket)
            gone = socket.state() is QLocalSocket.LocalSocketState.UnconnectedState
            if gone and socket in self._sockets:
                self._sockets.remove(socket)
                socket.deleteLater()

    def _hear(self, socket: QLocalSocket) -> None:
        while socket.canReadLine():
            try:
                start = start_from_line(bytes(socket.readLine().data()))
            except StartError:
                _log.info("another start sent what is not understood")
                socket.abort()
                return
            socket.write(TAKEN)
            socket.flush()
            self.asked.emit(start)
        if socket.bytesAvailable() > LARGEST_BYTES:
            socket.abort()
