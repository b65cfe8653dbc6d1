"""What a frozen folder really holds: its parts, with versions, licences and libraries.

The plan writes every file that it bundles, and where it came from, as `bundled.json`; here each
file finds its distribution. `licences.py` and `parts_list.py` (the SBOM) are made of them.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field, replace
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[2]
TEXTS = Path(__file__).resolve().parent / "texts"
OURS = "mammoscope"
LIBRARY = re.compile(r"\.(so(\.[\w.]+)?|dll|dylib|pyd)$")
# Wheels that bring no text of their licence, by the begin of its name or of theirs.
WITHOUT_TEXT = {
    "LGPL-3.0": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    "tokenizers": ("Apache-2.0.txt",),
    "nvidia-ml-py": ("nvidia-ml-py.txt",),
}
# All of NVIDIA's libraries have one agreement; some wheels of them leave it out.
NVIDIA, ITS_TEXT = "NVIDIA Proprietary Software", "nvidia-cublas"
_LICENCE_FILE = re.compile(r"licen[cs]e|copying|notice|copyright|third.?party", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution, system package or model that is bundled.

    Attributes
    ----------
    kind
        ``"pypi"``, ``"deb"`` or ``"generic"``, as package URLs have it.
    licence
        What the distribution says of itself; empty where it says nothing.
    texts
        Its licence files.
    files
        Its libraries in the frozen folder, relative to it.
    """

    name: str
    version: str
    kind: str
    licence: str
    texts: tuple[Path, ...] = ()
    files: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """Name and version, as a file may be called."""
        return re.sub(r"[^\w.+~-]+", "-", f"{self.name}-{self.version}")


def read_entries(path: Path) -> list[tuple[str, str]]:
    """Read what was bundled: where it lies in the folder, and where it came from."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return [(place, source) for place, source, kind in entries if kind != "SYMLINK"]


def find_parts(entries: list[tuple[str, str]]) -> list[Part]:
    """Find the parts that the bundled files belong to, by name, the program itself left out."""
    known = _known_files()
    parts: dict[tuple[str, str], Part] = {}
    for place, source in entries:
        # What only tells a version is no part of the program.
        if ".dist-info" in PurePath(place).parts[0]:
            continue
        part = known.get(source) or known.get(str(Path(source).resolve())) or _other(source)
        if part is None:
            continue
        part = parts.setdefault((part.kind, part.name), part)
        if LIBRARY.search(place):
            parts[part.kind, part.name] = replace(part, files=(*part.files, place))
    return sorted(parts.values(), key=lambda part: (part.name.lower(), part.kind))


def _known_files() -> dict[str, Part]:
    """Every file of every distribution that is installed, but for our own."""
    known: dict[str, Part] = {}
    for distribution in distributions():
        if distribution.metadata["Name"] == OURS:
            continue
        part = _part_of(distribution)
        base = Path(str(distribution.locate_file("")))
        for file in distribution.files or ():
            # An environment may be reached by a link.
            known[str(base / file)] = known[str(base.resolve() / file)] = part
    return known


def _part_of(distribution: Distribution) -> Part:
    said = distribution.metadata
    told = [*(said.get_all("License-Expression") or []), *(said.get_all("License") or []), ""]
    licence = next((each for each in told if each), "")
    if not licence or len(licence) > 100 or licence == "UNKNOWN":
        classes = said.get_all("Classifier") or []
        named = [each.split(" :: ")[-1] for each in classes if each.startswith("License")]
        licence = ", ".join(named) or licence.strip().split("\n")[0][:100]
    texts = _texts_of(distribution)
    for start, names in WITHOUT_TEXT.items():
        if not texts and (licence.startswith(start) or said["Name"] == start):
            texts = [TEXTS / name for name in names]
    if not texts and licence == NVIDIA:
        texts = _texts_of(Distribution.from_name(ITS_TEXT))
    return Part(said["Name"], distribution.version, "pypi", licence, tuple(sorted(texts)))


def _texts_of(distribution: Distribution) -> list[Path]:
    return [
        Path(str(distribution.locate_file(file)))
        for file in distribution.files or ()
        if _LICENCE_FILE.search(file.name)
        and ".dist-info" in str(file)
        and file.suffix in ("", ".txt", ".md", ".rst")
    ]


def _other(source: str) -> Part | None:
    """Python itself, or a package of the system; None for what is ours."""
    path = Path(source)
    if not path.is_absolute() or path.is_relative_to(ROOT / "resources"):
        return None
    home = (sys.base_prefix, sysconfig.get_path("stdlib"))
    if any(path.is_relative_to(each) for each in home):
        text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
        texts = (text,) if text.exists() else ()
        return Part("Python", platform.python_version(), "generic", "PSF-2.0", texts)
    if str(path).startswith(("/usr/lib", "/lib")) and shutil.which("dpkg-query"):
        return _system_part(str(path.resolve()))
    return None


def _system_part(path: str) -> Part | None:
    # Debian's files may be recorded with or without the merged /usr.
    for name in (path, path.removeprefix("/usr")):
        owner = _said("dpkg-query", "--search", name).split(":")[0]
        if owner:
            version = _said("dpkg-query", "--show", "--showformat=${Version}", owner)
            text = Path("/usr/share/doc") / owner / "copyright"
            return Part(owner, version, "deb", "", (text,) if text.exists() else ())
    return None


def _said(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def strangers(entries: list[tuple[str, str]]) -> list[str]:
    """Name modules of ours that were taken from another copy of the program than this one."""
    ours = [(place, source) for place, source in entries if re.match(r"(ml|viewer)\b", place)]
    return [source for _, source in ours if not Path(source).is_relative_to(ROOT)]


def sha256(path: Path) -> str:
    """Hash a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
