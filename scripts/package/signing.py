"""Signatures of what is handed out, by `minisign`; an archive's comment makes it an update.

The publisher's key is made once, with `minisign -G`, kept where nobody else comes, and its
public half given to `freeze.py --publisher`: the build trusts it from then on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bundled import OURS

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from viewer.library.migrations import MIGRATIONS  # noqa: E402 the path comes first
from viewer.update.package import Release, this_platform  # noqa: E402

INSIDE = "_internal"
PUBLISHER = Path("resources") / "publisher"


class SigningError(Exception):
    """Something could not be signed."""


def release_of(folder: Path, version: str, edition: str) -> Release:
    """What the signed comment says of a frozen folder."""
    sizes = (path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    return Release(version, edition, this_platform(), len(MIGRATIONS), sum(sizes))


def sign(path: Path, secret: Path, comment: str) -> Path:
    """Sign a file; return its signature's path.

    Raises
    ------
    SigningError
        With what minisign said.
    """
    _minisign("-S", "-s", str(secret), "-m", str(path), "-t", comment)
    return path.with_name(f"{path.name}.minisig")


def passing_key(folder: Path) -> tuple[Path, str]:
    """Make a key for a trial alone; return its secret file and its public line."""
    secret, public = folder / "trial.key", folder / "trial.pub"
    _minisign("-G", "-W", "-f", "-s", str(secret), "-p", str(public))
    return secret, public.read_text("utf-8").splitlines()[-1]


def add_publisher(folder: Path, public: Path) -> None:
    """Have a frozen program trust a publisher."""
    place = folder / INSIDE / PUBLISHER
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(public, place / f"{public.stem}.pub")


def renumber(folder: Path, old: str, new: str) -> None:
    """Have a copy of a frozen program say another version, for a trial of an update."""
    (metadata,) = (folder / INSIDE).glob(f"{OURS}-*.dist-info/METADATA")
    text = metadata.read_text("utf-8")
    changed = text.replace(f"\nVersion: {old}\n", f"\nVersion: {new}\n")
    if changed == text:
        raise SigningError(f"{metadata} does not say version {old}")
    metadata.write_text(changed, "utf-8")


def _minisign(*arguments: str) -> None:
    if shutil.which("minisign") is None:
        raise SigningError("minisign is not there: apt-get install minisign")
    # A key with a password asks for it on the terminal.
    done = subprocess.run(
        ["minisign", *arguments], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise SigningError(
            f"minisign {arguments[0]} ended with {done.returncode}: {done.stdout}"
        )
