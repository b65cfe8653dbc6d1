"""What a frozen folder needs of a Linux system: Debian's packages, and the version of glibc.

Read from the programs and libraries themselves: a library that is asked for, and neither
bundled nor known here, ends the packaging.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from shrink import elf_files

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from system_packages import QT_LIBRARIES

GLIBC = re.compile(r"lib(c|m|dl|pthread|rt|util|resolv)\.so\.\d|ld-linux")
# Besides what Qt asks for when it starts: its plug-ins for Wayland, printing and OpenGL.
PACKAGES = {
    **QT_LIBRARIES,
    "libGLX.so.0": "libglx0",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libcups.so.2": "libcups2",
    "libdrm.so.2": "libdrm2",
    "libexpat.so.1": "libexpat1",
    "libgcc_s.so.1": "libgcc-s1",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libzstd.so.1": "libzstd1",
}
# Of a GPU's driver: who has the GPU has it, and the rest is done on the CPU.
OF_DRIVERS = frozenset({"libcuda.so.1"})
FONTS = "fonts-dejavu-core | fonts-noto-core | fonts-liberation | fonts-freefont-ttf"
# Only for printing, which Qt can live without.
OPTIONAL = frozenset({"libcups2"})
_NEEDED = re.compile(r"\(NEEDED\)\s+Shared library: \[(.+)\]")
_VERSION = re.compile(r"\bGLIBC_(\d+)\.(\d+)")


class NeedsError(Exception):
    """A library is neither bundled nor known to be in a package."""


def needed_libraries(folder: Path) -> list[str]:
    """Name the libraries that are asked for and not bundled, but for glibc's and a driver's."""
    files = elf_files(folder)
    bundled = {path.name for path in files}
    asked = {name for path in files for name in _NEEDED.findall(_readelf("--dynamic", path))}
    return sorted(name for name in asked - bundled - OF_DRIVERS if not GLIBC.match(name))


def packages_of(libraries: list[str]) -> list[str]:
    """Name Debian's packages of libraries.

    Raises
    ------
    NeedsError
        Where one is not known.
    """
    if unknown := [name for name in libraries if name not in PACKAGES]:
        raise NeedsError(
            f"Nothing says which package has {', '.join(unknown)}: name it in needs.py, or "
            "keep in trim.py what asks for it out."
        )
    return sorted({PACKAGES[name] for name in libraries})


def glibc_of(folder: Path) -> str:
    """The oldest glibc that a folder's programs and libraries run on."""
    told = (_readelf("--version-info", path) for path in elf_files(folder))
    found = {
        (int(major), int(minor)) for text in told for major, minor in _VERSION.findall(text)
    }
    major, minor = max(found)
    return f"{major}.{minor}"


def depends(folder: Path) -> tuple[list[str], list[str]]:
    """What a package of a folder depends on, and what it recommends, as Debian writes it."""
    packages = packages_of(needed_libraries(folder))
    glibc = f"libc6 (>= {glibc_of(folder)})"
    needed = [name for name in packages if name not in OPTIONAL]
    return [glibc, *needed, FONTS], [name for name in packages if name in OPTIONAL]


def _readelf(option: str, path: Path) -> str:
    command = ["readelf", option, "--wide", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
