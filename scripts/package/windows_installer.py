"""The Windows installer around a frozen folder: needs makensis (apt-get install nsis).

`.venv/bin/python scripts/package/windows_installer.py FOLDER [--out DIR]`: FOLDER holds
`mammoscope.exe` and `_internal`, as `freeze.py` makes them on Windows.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bundled import OURS
from icon import draw_icon
from linux_packages import PackageError, write_sums

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).resolve().parent / "windows" / "mammoscope.nsi"
PROGRAM = "mammoscope.exe"
# Where its installer puts it, which does not put it on the path.
ELSEWHERE = Path(r"C:\Program Files (x86)\NSIS\makensis.exe")


def make_installer(folder: Path, out: Path, number: str) -> Path:
    """Compile the installer of a folder, and return its path.

    Raises
    ------
    PackageError
        Where the program is not in the folder, or the compiler is missing or complains.
    """
    if not (folder / PROGRAM).is_file() or not (folder / "_internal").is_dir():
        raise PackageError(f"There is no {PROGRAM} in {folder}: freeze it on Windows first.")
    compiler = shutil.which("makensis") or (str(ELSEWHERE) if ELSEWHERE.exists() else "")
    if not compiler:
        raise PackageError("makensis is missing. Run: sudo apt-get install -y nsis")
    icon = out / "mammoscope.ico"
    draw_icon(icon, 256)
    path = out / f"mammoscope-{number}-windows-x86_64.exe"
    told = {
        "VERSION": number,
        "NUMBERS": numbers_of(number),
        "FOLDER": str(folder),
        "OUT": str(path),
        "ICON": str(icon),
        "LICENCE": str(ROOT / "LICENSE"),
    }
    defines = [f"-D{name}={value}" for name, value in told.items()]
    command = [compiler, "-V2", "-WX", *defines, str(SCRIPT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    icon.unlink()
    if done.returncode != 0:
        raise PackageError(f"makensis failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return path


def numbers_of(number: str) -> str:
    """Windows asks for four numbers: ``0.1.0rc1`` is ``0.1.0.0``."""
    found = re.findall(r"\d+", re.split(r"[a-z+]", number)[0])
    return ".".join((*found, "0", "0", "0", "0")[:4])


def main() -> int:
    """Make the installer, and its hash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    given = parser.parse_args()
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        path = make_installer(given.folder.resolve(), out, version(OURS))
        write_sums([path], out)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
