"""Take out of a frozen folder's libraries what is of the machine that built them (Linux).

That is the tables for debuggers (with binutils), and where it keeps its libraries (chrpath).

Libraries whose layout was patched when their wheel was made may not load once they are stripped
(PyInstaller's own option strips these, too): each is looked at afterwards, and kept as it was
where its segments lost their alignment.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ELF = b"\x7fELF"
_RUN_PATH = re.compile(r"\(R(?:UN)?PATH\)\s+Library r(?:un)?path: \[(.*)\]")


class ShrinkError(Exception):
    """A tool is missing, or failed."""


def is_elf(path: Path) -> bool:
    """Whether a file is a program or a library of Linux."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == _ELF


def elf_files(folder: Path) -> list[Path]:
    """All programs and libraries below a folder."""
    return sorted(path for path in folder.rglob("*") if is_elf(path))


def shrink(folder: Path) -> int:
    """Strip what can be; return the bytes that were won."""
    if shutil.which("strip") is None or shutil.which("readelf") is None:
        return 0
    won = 0
    for path in elf_files(folder / "_internal"):
        said = _readelf("--sections", path)
        if ".symtab" in said or ".debug_info" in said:
            won += _strip(path)
    return won


def _strip(path: Path) -> int:
    smaller = path.with_name(path.name + ".stripped")
    command = ["strip", "--strip-unneeded", "-o", str(smaller), str(path)]
    done = subprocess.run(command, check=False, capture_output=True)
    won = 0
    if done.returncode == 0 and is_aligned(_readelf("--segments", smaller)):
        won = path.stat().st_size - smaller.stat().st_size
        smaller.replace(path)
    smaller.unlink(missing_ok=True)
    return won


def forget_places(folder: Path) -> list[Path]:
    """Have no library look for others where the building machine had them; return the changed.

    Raises
    ------
    ShrinkError
        Where one does and `chrpath` is missing or fails.
    """
    changed: list[Path] = []
    for path in elf_files(folder):
        for run_path in _RUN_PATH.findall(_readelf("--dynamic", path)):
            kept = beside_itself(run_path)
            if kept != run_path:
                _chrpath("--replace", kept, path) if kept else _chrpath("--delete", path)
                changed.append(path)
    return changed


def beside_itself(run_path: str) -> str:
    """The part of a run path that is told from where the library lies.

    >>> beside_itself("/home/me/lib:$ORIGIN/../lib")
    '$ORIGIN/../lib'
    """
    return ":".join(each for each in run_path.split(":") if not each.startswith("/"))


def _chrpath(*arguments: object) -> None:
    if shutil.which("chrpath") is None:
        raise ShrinkError("chrpath is missing: apt-get install chrpath")
    command = ["chrpath", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ShrinkError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")


def is_aligned(segments: str) -> bool:
    """Whether a library can be mapped: place in the file and in memory agree within a page.

    Parameters
    ----------
    segments
        What ``readelf --segments --wide`` says.
    """
    loads = [line.split() for line in segments.splitlines() if line.split()[:1] == ["LOAD"]]
    pairs = [(int(each[1], 16), int(each[2], 16), int(each[-1], 16)) for each in loads]
    return bool(pairs) and all((file - memory) % align == 0 for file, memory, align in pairs)


def _readelf(option: str, path: Path) -> str:
    command = ["readelf", option, "--wide", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
