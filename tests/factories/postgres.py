"""A PostgreSQL server of its own, on a socket in a folder; it can be stopped and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Where Debian has the server's programs, of which only some stand on the path.
DEBIAN = Path("/usr/lib/postgresql")
# The server never runs as root.
ITS_USER = "postgres"


class Server:
    """A server whose files lie below a folder.

    Attributes
    ----------
    url
        Of its only database, as SQLAlchemy has it.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self.url = f"postgresql+psycopg://postgres@/postgres?host={folder}"

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Off: no test cuts the machine's power, and the server's own end costs nothing.
        how = f"-k {self._folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-w", "-l", f"{self._folder}/log", "-o", how, "start")

    def stop(self) -> None:
        """End it as a power cut does: no client is told, what is not written is lost."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        root = os.name == "posix" and os.geteuid() == 0
        subprocess.run(
            [(self._programs / program).resolve(), "-D", self._folder / "data", *arguments],
            check=True,
            cwd=self._folder,
            user=ITS_USER if root else None,
            env=_plain(os.environ),
            stdin=subprocess.DEVNULL,
            # A pipe would stay open as long as the server runs.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A running server; skip the test where it or its driver is not installed."""
    programs = _programs()
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: python scripts/test.py --cluster")
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    # Sockets have short names, and pytest's folders let no other user through.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, ITS_USER)
    server = Server(programs, folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    if os.name != "posix":
        return None
    folders = [Path(one) for one in os.get_exec_path()]
    folders += sorted(DEBIAN.glob("*/bin"), reverse=True)
    needed = ("initdb", "pg_ctl", "postgres")
    return next((one for one in folders if all((one / name).exists() for name in needed)), None)


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what would have the programs look elsewhere."""
    return {name: value for name, value in environment.items() if not name.startswith("PG")}
