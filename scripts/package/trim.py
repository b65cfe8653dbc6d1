"""Which files that PyInstaller collects stay out of the frozen folder.

`excludes` keeps modules out; this keeps out the files that come along with packages that stay:
plug-ins of Qt and OpenVINO, codecs that no mammogram has, headers, other languages, and every
library that then nobody asks for. A desktop's libraries come from the system: a bundled copy
beside the system's OpenGL driver ends in two versions of one library in one process.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from left_out import READER

from viewer.core.language import LANGUAGES as CATALOGUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Entry = tuple[str, str, str]
"""Where it goes in the folder, where it comes from, what it is: as PyInstaller lists them."""

LINK = "SYMLINK"
LANGUAGES = tuple(name for name in CATALOGUES.values() if name != "en")
# `ml.mammo` decodes and encodes with these; imagecodecs imports each on its first use.
CODECS = ("_htj2k", "_imcd", "_jpeg2k", "_jpeg8", "_jpegls", "_ljpeg", "_shared")
QT_PLUGINS = (
    "platforms/libqxcb|platforms/libqwayland|platforms/libqoffscreen|platforms/libqminimal\\.",
    "platforms/qwindows|platforms/qoffscreen|platforms/libqcocoa",
    "styles/|iconengines/|xcbglintegrations/|wayland-|printsupport/",
    "imageformats/(lib)?q(jpeg|svg|gif|ico)",
    "platforminputcontexts/lib(compose|ibus)",
)
_QT_KEPT = re.compile("|".join(QT_PLUGINS))
_QT_PLUGIN = re.compile(r"PySide6/(Qt/)?plugins/(.+)")
_QT_TEXTS = re.compile(r"PySide6/(Qt/)?translations/(.+)")
_OUT = re.compile(
    # OpenVINO computes on the CPU; on a GPU torch does.
    r"openvino/libs/.*(gpu_plugin|npu_plugin|cache\.json)|openvino/(include|cmake)/"
    # Qt draws its windows without OpenGL: no software renderer, no compiler of shaders.
    r"|PySide6/(opengl32sw|d3dcompiler|Qt6(Qml|Quick|Pdf|VirtualKeyboard))"
)
_OUT_OF_READER = re.compile(
    # What runs a network is OpenVINO's CPU plugin and the reader of its own graphs.
    r"openvino/libs/.*(onnx|tensorflow|pytorch|paddle|jax|gguf)"
    r"|openvino/libs/.*(auto_plugin|auto_batch|hetero|openvino_c\b|malloc_proxy)"
    r"|PIL/_(avif|imagingft|imagingtk|webp)\."
    r"|pyqtgraph/(icons|colors/maps)/"
    r"|\.(pyi|pxd|pdb|lib|a|la|h|pc)$"
)
# A Linux system's libraries that Python's own modules were built against: bundled, since their
# versions differ from system to system.
_BUNDLED = re.compile(r"lib(python3|ssl|crypto|sqlite3|ffi|bz2|lzma|uuid|mpdec|z)\.")
_SYSTEM = re.compile(r"^(/usr)?/lib(64|32)?/")


def is_kept(entry: Sequence[str], edition: str = READER) -> bool:
    """Whether a file goes into the folder, as far as its own name says.

    Parameters
    ----------
    entry
        As `Entry`; only the first two are looked at.
    """
    place = PurePath(entry[0]).as_posix()
    if plugin := _QT_PLUGIN.match(place):
        return bool(_QT_KEPT.match(plugin[2]))
    if text := _QT_TEXTS.match(place):
        return text[2] in {f"qtbase_{name}.qm" for name in LANGUAGES}
    if place.startswith("imagecodecs/_") and not place.endswith(".py"):
        return any(re.match(rf"imagecodecs/{name}(_cython)?\.", place) for name in CODECS)
    if _OUT.search(place) or (edition == READER and _OUT_OF_READER.search(place)):
        return False
    return _is_ours(entry)


def _is_ours(entry: Sequence[str]) -> bool:
    """Whether a file is not the system's, nor one that only a translator needs."""
    name = PurePath(entry[0]).name
    if _SYSTEM.match(PurePath(entry[1]).as_posix()):
        return bool(_BUNDLED.match(name))
    return not name.endswith((".po", ".pot"))


def wanted(
    binaries: Iterable[Entry], needs: Callable[[str], Iterable[tuple[str, str | None]]]
) -> list[Entry]:
    """Keep what is asked for: modules, plug-ins, and every library that one of them needs.

    Parameters
    ----------
    needs
        Names and places of the libraries that a file needs, and those need in turn.
    """
    named = [entry for entry in binaries if is_kept(entry) and entry[2] != LINK]
    roots = [entry for entry in named if _is_root(entry)]
    names = {PurePath(name).name for entry in roots for name, _ in needs(entry[1])}
    return [each for each in named if _is_root(each) or PurePath(each[0]).name in names]


def links(entries: Iterable[Entry], there: Iterable[Entry]) -> list[Entry]:
    """Keep the links to what is there; each names its file relative to itself."""
    places = {PurePath(each[0]) for each in there}
    found = [entry for entry in entries if entry[2] == LINK]
    return [each for each in found if PurePath(each[0]).parent / each[1] in places]


def _is_root(entry: Entry) -> bool:
    """Whether a file is there for its own sake: libraries are there for others'."""
    place = PurePath(entry[0]).as_posix()
    by_name = "/plugins/" in place or place.startswith("openvino/libs/") or "/" not in place
    is_library = re.search(r"\.so\.|\.libs/|/lib/|^lib|\.dylib$", place)
    loaded = re.search(r"plugin|ir_frontend|openvino/libs/.*tbb|^libpython", place) is not None
    return entry[2] == "EXTENSION" or loaded or (by_name and not is_library)
