"""A `.deb` and a portable archive of a frozen folder, for Linux.

The package puts the folder into /opt/mammoscope, the program on the path, into the menu and
beside DICOM files. It has no scripts: Debian's own triggers bring the desktop's tables up to
date, and what the user made lies in her home, which no package touches.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bundled import sha256
from icon import SVG, draw_icon
from left_out import READER, STUDIO
from licences import copyright_text
from needs import FONTS, depends, glibc_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bundled import Part

LINUX = Path(__file__).resolve().parent / "linux"
ROOT = Path(__file__).resolve().parents[2]
OPT = Path("opt") / "mammoscope"
ICON_SIZES = (16, 32, 48, 64, 128, 256)
# How a package's and an archive's content is compressed, how hard, and what an archive ends in.
# Most of the studio's five gigabytes is compressed already: 300 MB of it became 73 % with xz -1
# in 59 s, and 76 % with gzip -1 in 6 s.
COMPRESSIONS = {"xz": (6, "tar.xz"), "gzip": (1, "tar.gz"), "zstd": (1, "tar.zst")}
SUMS = "SHA256SUMS"
# What the package and the archive of an edition are called; neither stands beside the other.
NAMES = {READER: "mammoscope", STUDIO: "mammoscope-studio"}
OTHERS = """\
Conflicts: {others}
Replaces: {others}
"""
TEXTS = {
    READER: """\
 Opens DICOM mammograms from disk, hangs them as they should be, marks lesions
 and shows what models say of them; screens folders of studies. All of it runs
 offline.
""",
    STUDIO: """\
 Opens DICOM mammograms from disk, hangs them as they should be, marks lesions
 and shows what models say of them; screens folders of studies; makes synthetic
 mammograms and retrains the models. All of it runs offline.
""",
}
CHANGES = """\
{name} ({version}) unstable; urgency=medium

  * What changed is told in CHANGELOG.md.gz.

 -- the Mammoscope authors <mammoscope@localhost>  {when}
"""
CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: the Mammoscope authors <mammoscope@localhost>
Installed-Size: {kib}
Depends: {depends}
Recommends: {recommends}
Section: science
Priority: optional
{others}Description: mammography workstation, {edition}'s edition
{text} .
 Research use only. Not a medical device.
"""


class PackageError(Exception):
    """A package could not be made."""


def make_deb(
    folder: Path,
    out: Path,
    version: str,
    when: datetime,
    parts: list[Part],
    how: str = "xz",
    edition: str = READER,
) -> Path:
    """Make the package of a frozen folder, and return its path.

    Parameters
    ----------
    how
        A name of `COMPRESSIONS`.
    edition
        Which was frozen.
    """
    staged = out / "staged"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        shutil.copytree(folder, staged / OPT, symlinks=True)
        _stage_desktop(staged)
        _stage_documents(staged, parts, when, NAMES[edition], version)
        _write_control(staged, folder, version, edition)
        _set_modes(staged)
        path = out / f"{NAMES[edition]}_{version}_{_architecture()}.deb"
        options = ["--root-owner-group", f"-Z{how}", f"-z{COMPRESSIONS[how][0]}"]
        _do(["dpkg-deb", *options, "--build", str(staged), str(path)], when)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return path


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _stage_desktop(staged: Path) -> None:
    (staged / "usr" / "bin").mkdir(parents=True)
    (staged / "usr" / "bin" / "mammoscope").symlink_to(Path("/") / OPT / "mammoscope")
    share = staged / "usr" / "share"
    (share / "applications").mkdir(parents=True)
    shutil.copy(LINUX / "mammoscope.desktop", share / "applications")
    icons = share / "icons" / "hicolor"
    (icons / "scalable" / "apps").mkdir(parents=True)
    shutil.copy(SVG, icons / "scalable" / "apps")
    for size in ICON_SIZES:
        draw_icon(icons / f"{size}x{size}" / "apps" / "mammoscope.png", size)


def _stage_documents(
    staged: Path, parts: list[Part], when: datetime, name: str, version: str
) -> None:
    documents = staged / "usr" / "share" / "doc" / name
    documents.mkdir(parents=True)
    text = copyright_text(parts, when.date().isoformat())
    (documents / "copyright").write_text(text, encoding="utf-8")
    manual = staged / "usr" / "share" / "man" / "man1" / "mammoscope.1.gz"
    manual.parent.mkdir(parents=True)
    _write_gzip((LINUX / "mammoscope.1").read_bytes(), manual)
    _write_gzip((ROOT / "CHANGELOG.md").read_bytes(), documents / "CHANGELOG.md.gz")
    entry = CHANGES.format(name=name, version=version, when=format_datetime(when))
    _write_gzip(entry.encode(), documents / "changelog.gz")


def _write_gzip(content: bytes, target: Path) -> None:
    # Without the time: the same source gives the same package.
    target.write_bytes(gzip.compress(content, 9, mtime=0))


def _write_control(staged: Path, folder: Path, version: str, edition: str) -> None:
    needed, recommended = depends(folder)
    sizes = (path.lstat().st_size for path in staged.rglob("*") if not path.is_dir())
    others = ", ".join(name for other, name in NAMES.items() if other != edition)
    text = CONTROL.format(
        name=NAMES[edition],
        others=OTHERS.format(others=others),
        edition=edition,
        text=TEXTS[edition],
        version=version,
        architecture=_architecture(),
        kib=sum(size // 1024 + 1 for size in sizes),
        depends=", ".join(needed),
        recommends=", ".join([*recommended, "desktop-file-utils", "shared-mime-info"]),
    )
    control = staged / "DEBIAN"
    control.mkdir()
    files = sorted(path for path in (staged / "usr").rglob("*") if path.is_file())
    files += sorted(path for path in (staged / OPT).rglob("*") if path.is_file())
    sums = (
        f"{_md5(path)}  {path.relative_to(staged)}\n" for path in files if not path.is_symlink()
    )
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    (control / "control").write_text(text, encoding="utf-8")


def _md5(path: Path) -> str:
    """Debian's own check of a package's files, not a protection."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _set_modes(staged: Path) -> None:
    """Everybody reads, only the programs are run, nobody but root writes."""
    for path in [staged, *staged.rglob("*")]:
        if path.is_symlink():
            continue
        runs = path.is_dir() or (path.parent == staged / OPT and path.name == "mammoscope")
        path.chmod(0o755 if runs else 0o644)


def make_archive(
    folder: Path,
    out: Path,
    version: str,
    when: datetime,
    how: str = "xz",
    edition: str = READER,
) -> Path:
    """Make the portable archive of a frozen folder, and return its path.

    Parameters
    ----------
    how
        A name of `COMPRESSIONS`; an update takes xz and gzip.
    edition
        Which was frozen.
    """
    name = f"{NAMES[edition]}-{version}"
    staged = out / name
    shutil.rmtree(staged, ignore_errors=True)
    try:
        shutil.copytree(folder, staged, symlinks=True)
        needed, recommended = depends(folder)
        packages = [each for each in needed if each != FONTS and not each.startswith("libc6 ")]
        text = (LINUX / "README.txt").read_text(encoding="utf-8")
        text = text.format(
            version=version,
            edition=edition,
            machine=platform.machine(),
            glibc=glibc_of(folder),
            packages=" ".join([*packages, *recommended, FONTS.split(" ")[0]]),
        )
        (staged / "README.txt").write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "LICENSE", staged)
        level, ending = COMPRESSIONS[how]
        path = out / f"{name}-linux-{platform.machine()}.{ending}"
        program = {"xz": "xz -T0", "gzip": "gzip -n", "zstd": "zstd -T0 -q"}[how]
        fixed = ["--sort=name", f"--mtime=@{int(when.timestamp())}", "--owner=0", "--group=0"]
        options = ["--numeric-owner", f"--use-compress-program={program} -{level}"]
        _do(["tar", *fixed, *options, "-cf", str(path), "-C", str(out), name], when)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return path


def write_sums(paths: Sequence[Path], out: Path) -> Path:
    """Write the hashes of what is handed out, for ``sha256sum --check``."""
    path = out / SUMS
    lines = (f"{sha256(each)}  {each.name}\n" for each in sorted(paths))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _do(command: list[str], when: datetime) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(when.timestamp()))}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise PackageError(f"{command[0]} failed:\n{done.stderr.strip()[-2000:]}")
