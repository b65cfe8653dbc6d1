"""Find what the system lacks: Qt's libraries, and the tools that tests measure against.

Linux only; elsewhere Qt brings what it needs and the tools are not asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from setup_environment import ENVIRONMENT, SetupError, can_use_apt, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What Qt 6's own libraries and its xcb plugin ask for, and the Debian package that has it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FONT_PACKAGE = "fonts-dejavu-core"

# A tool that the tests need, and its Debian package.
ORACLES = {
    "dcm2pnm": "dcmtk",
    "dciodvfy": "dicom3tools",
    "Xvfb": "xvfb",
    "xauth": "xauth",
    "minisign": "minisign",
    "chrpath": "chrpath",
}

# The server of a cluster's ledger; Debian keeps its programs off the path.
SERVER = "postgresql"
SERVER_PROGRAMS = Path("/usr/lib/postgresql")


def qt_binaries() -> list[Path]:
    """List the parts of Qt whose libraries must be found for a window to open."""
    found = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/PySide6/Qt"))
    names = (
        "lib/libQt6Gui.so.6",
        "lib/libQt6Widgets.so.6",
        "plugins/platforms/libqxcb.so",
        "plugins/platforms/libqoffscreen.so",
    )
    return [root / name for root in found for name in names if (root / name).exists()]


def missing_libraries(ldd_output: str) -> list[str]:
    """Read the names that `ldd` did not find."""
    lines = (line.split("=>") for line in ldd_output.splitlines())
    return [parts[0].strip() for parts in lines if "not found" in parts[-1]]


def packages_for(libraries: Sequence[str]) -> list[str]:
    """Name the Debian packages of `libraries`; a name that is not known stays out."""
    return sorted({QT_LIBRARIES[name] for name in libraries if name in QT_LIBRARIES})


def missing_qt_packages() -> list[str]:
    """Name the packages that a window needs and this Linux lacks."""
    if sys.platform != "linux":
        return []
    missing: list[str] = []
    for binary in qt_binaries():
        done = subprocess.run(["ldd", str(binary)], check=False, capture_output=True, text=True)
        missing += missing_libraries(done.stdout)
    fonts = () if _has_fonts() else (FONT_PACKAGE,)
    return [*packages_for(missing), *fonts]


def _has_fonts() -> bool:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return any(next(folder.rglob("*.?tf"), None) for folder in folders if folder.is_dir())


def missing_oracles() -> dict[str, str]:
    """Name the tools of `ORACLES` that are not there, with their packages."""
    if sys.platform != "linux":
        return {}
    return {tool: package for tool, package in ORACLES.items() if shutil.which(tool) is None}


def missing_server() -> dict[str, str]:
    """Name PostgreSQL's server, with its package, where it is not there."""
    there = shutil.which("postgres") or next(SERVER_PROGRAMS.glob("*/bin/postgres"), None)
    return {} if sys.platform != "linux" or there else {"postgres": SERVER}


def provide(packages: Sequence[str], why: str) -> bool:
    """Install `packages` with apt as root, else print the one line to run.

    Returns
    -------
    bool
        Whether they are installed now.
    """
    if not packages:
        return True
    names = " ".join(sorted(set(packages)))
    if not can_use_apt():
        say(f"{why} Run: sudo apt-get install -y {names}")
        return False
    say(f"{why} Installing {names} with apt.")
    options = ["-y", "-q", "--no-install-recommends"]
    _apt("update", "-q")
    _apt("install", *options, *names.split(" "))
    return True


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *arguments], check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode != 0:
        tail = "\n".join(done.stderr.splitlines()[-10:])
        raise SetupError(f"apt-get {' '.join(arguments)} failed:\n{tail}")


def skipped_line(missing: Mapping[str, str]) -> str:
    """Say which tools the tests went without, in one line."""
    tools = ", ".join(f"{tool} ({package})" for tool, package in sorted(missing.items()))
    return f"Skipped: what needs {tools}."
