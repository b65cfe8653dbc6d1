"""Take the tables for debuggers out of a frozen folder's libraries (Linux; needs binutils).

Libraries whose layout was patched when their wheel was made may not load once they are stripped
(PyInstaller's own option strips these, too): each is looked at afterwards, and kept as it was
where its segments lost their alignment.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ELF = b"\x7fELF"


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
