"""Keep the child processes of tests off the network, and modules out of them by name.

Python imports a `sitecustomize` from its path at every start; tests/conftest.py puts this
folder on PYTHONPATH. `MAMMOSCOPE_BLOCK_IMPORTS=torch,diffusers` makes those imports fail.
"""

import os
import socket
import sys

_UNIX = getattr(socket, "AF_UNIX", None)
_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _refuse(sock: socket.socket, address: object) -> None:
    if sock.family != _UNIX:
        raise RuntimeError(f"a child process of a test reached for the network: {address}")


def _guarded_connect(self: socket.socket, address: object) -> None:
    _refuse(self, address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: object) -> int:
    _refuse(self, address)
    return _connect_ex(self, address)


def _guarded_look_up(host: object, *_arguments: object, **_options: object) -> None:
    raise RuntimeError(f"a child process of a test looked up a name: {host}")


socket.socket.connect = _guarded_connect
socket.socket.connect_ex = _guarded_connect_ex
socket.getaddrinfo = _guarded_look_up
socket.gethostbyname = _guarded_look_up


class _BlockedImports:
    """Refuse the modules that MAMMOSCOPE_BLOCK_IMPORTS names."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in self._names:
            raise ModuleNotFoundError(f"the test blocks {name}", name=name)


_blocked = {name for name in os.environ.get("MAMMOSCOPE_BLOCK_IMPORTS", "").split(",") if name}
if _blocked:
    sys.meta_path.insert(0, _BlockedImports(_blocked))
