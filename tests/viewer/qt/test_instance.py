"""One program a user: the second start hands over, whatever a dead one left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QWidget

from viewer.core.home import find_home
from viewer.core.start import Start, start_to_line
from viewer.qt.incoming import Incoming, come_to_front
from viewer.qt.instance import Claim, Door, enter, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets have paths here")

# Enters, and where it is the first tells what it is asked for, until it was asked once.
CHILD = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from viewer.core.home import find_home
from viewer.core.start import Start
from viewer.qt.instance import Door, enter
claim = enter(Start((Path(sys.argv[1]),), True), find_home())
if claim is None:
    sys.exit(7)
application = QCoreApplication([])
door = Door(claim)
def tell(start):
    print(start.paths[0].name, start.together, flush=True)
    QTimer.singleShot(0, application.quit)
door.asked.connect(tell)
door.open()
application.exec()
door.close()
"""
LONGEST_S = 60


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Claim]:
    # A socket's path must be short, a test's folder is long.
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    made = Claim(stem_of(find_home()))
    assert made.take()
    yield made
    made.free()


def talk(address: str, *sent: bytes) -> socket.socket:
    """Someone who connects and says something."""
    other = socket.socket(socket.AF_UNIX)
    other.connect(address)
    other.settimeout(10)
    for each in sent:
        other.sendall(each)
    return other


def start_child(path: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE, text=True
    )


def test_of_two_starts_at_once_one_stays_and_has_the_files_of_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    children = {name: start_child(f"/{name}.dcm") for name in ("a", "b")}
    said = {name: each.communicate(timeout=LONGEST_S)[0] for name, each in children.items()}
    codes = {name: each.returncode for name, each in children.items()}
    assert sorted(codes.values()) == [0, 7]
    (left,) = (name for name, code in codes.items() if code == 7)
    assert [text for text in said.values() if text] == [f"{left}.dcm True\n"]


def test_other_starts_are_heard_and_answered(qtbot: QtBot, claim: Claim) -> None:
    door = Door(claim)
    assert door.open()
    assert Path(claim.address).stat().st_mode & 0o077 == 0
    first, second = Start((Path("/a.dcm"),), True), Start(token="t")
    heard: list[Start] = []
    door.asked.connect(heard.append)
    other = talk(claim.address, start_to_line(first)[:9], start_to_line(first)[9:])
    other.sendall(start_to_line(second))
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard == [first, second]
    assert other.recv(6) == b"ok\nok\n"
    other.close()
    door.close()
    assert not Path(claim.address).exists()


def test_nonsense_is_not_answered_and_ends_nothing(qtbot: QtBot, claim: Claim) -> None:
    door = Door(claim)
    door.open()
    strange = talk(claim.address, b"nonsense\n")
    with qtbot.waitSignal(door.asked, timeout=5000):
        talk(claim.address, start_to_line(Start())).close()
    assert strange.recv(3) == b""
    door.close()


def test_a_socket_that_a_dead_one_left_behind_means_nothing(qtbot: QtBot, claim: Claim) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(claim.address)
    dead.close()
    door = Door(claim)
    assert door.open()
    with qtbot.waitSignal(door.asked, timeout=5000):
        talk(claim.address, start_to_line(Start())).close()
    door.close()


def test_who_hears_nothing_of_the_first_has_a_window_of_her_own(claim: Claim) -> None:
    # Held by this process; nobody listens.
    assert not Claim(stem_of(find_home())).take()
    begun = time.monotonic()
    mine = enter(Start(), find_home(), patience_s=0.2)
    assert isinstance(mine, Claim)
    assert time.monotonic() - begun < 10


def test_a_first_that_hangs_is_not_waited_for_long(
    claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.qt.instance.ANSWER_MS", 50)
    hanging = socket.socket(socket.AF_UNIX)
    hanging.bind(claim.address)
    hanging.listen()
    assert isinstance(enter(Start(), find_home()), Claim)
    hanging.close()
    Path(claim.address).unlink()


def test_every_home_has_a_program_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = stem_of(find_home())
    monkeypatch.setenv("MAMMOSCOPE_HOME", "/elsewhere")
    assert stem_of(find_home()) != here


def test_files_of_the_desktop_wait_for_the_window(qtbot: QtBot, qapp: QApplication) -> None:
    incoming = Incoming(qapp, None, files=True)
    QApplication.sendEvent(qapp, QFileOpenEvent("/a b.dcm"))
    served: list[Start] = []
    incoming.serve(served.append)
    QApplication.sendEvent(qapp, QFileOpenEvent("/c.dcm"))
    assert [start.paths for start in served] == [(Path("/a b.dcm"),), (Path("/c.dcm"),)]
    incoming.close()
    QApplication.sendEvent(qapp, QFileOpenEvent("/d.dcm"))
    QApplication.sendEvent(qapp, QEvent(QEvent.Type.User))
    assert len(served) == 2


def test_what_is_asked_for_before_there_is_a_window_raises_the_dialog(
    qtbot: QtBot, qapp: QApplication
) -> None:
    incoming = Incoming(qapp, None, files=False)
    dialog = QWidget()
    qtbot.addWidget(dialog)
    dialog.show()
    with incoming.raising(dialog):
        incoming.ask(Start())
    served: list[Start] = []
    incoming.serve(served.append)
    assert served == [Start()]
    incoming.close()


def test_a_window_that_was_put_away_comes_back(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "old")
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    come_to_front(window, "new")
    assert window.isVisible()
    assert not window.isMinimized()
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "new"
