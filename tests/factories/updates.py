"""Updates of a program that is three lines of shell, signed by a publisher of our own."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from viewer.core.home import PROGRAM
from viewer.update.package import NAME, Release, this_platform
from viewer.update.program import Program

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = 4
SCRIPT = """\
#!/bin/sh
here=$(dirname "$0")
case $1 in
--version) echo mammoscope {version} ;;
self-test) test -d "$(dirname "$MAMMOSCOPE_HOME")" {test} ;;
update) echo "$@" > "$here/../asked" {leave} ;;
*) echo "{version}: $@" ;;
esac
"""


@dataclass(frozen=True)
class Publisher:
    """Signs as minisign does."""

    private: Ed25519PrivateKey
    number: bytes = b"\x01\x23\x45\x67\x89\xab\xcd\xef"

    @property
    def line(self) -> str:
        raw = self.private.public_key().public_bytes_raw()
        return base64.b64encode(b"Ed" + self.number + raw).decode()

    def sign(self, path: Path, comment: str) -> Path:
        signed = self.private.sign(hashlib.blake2b(path.read_bytes()).digest())
        of_comment = self.private.sign(signed + comment.encode())
        lines = (
            "untrusted comment: signature",
            base64.b64encode(b"ED" + self.number + signed).decode(),
            f"trusted comment: {comment}",
            base64.b64encode(of_comment).decode(),
        )
        beside = path.with_name(f"{path.name}.minisig")
        beside.write_text("\n".join(lines) + "\n")
        return beside


def publisher(seed: int = 0) -> Publisher:
    return Publisher(Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)))


def make_update(
    folder: Path,
    version: str = "0.2.0",
    *,
    signed_by: Publisher | None = None,
    platform: str = "",
    library: int = LIBRARY,
    size: int = 1000,
    test: str = "",
    leave: str = "",
    says: str = "",
    data: int = 700,
) -> Path:
    """An archive with its signature.

    Parameters
    ----------
    test, leave
        Put behind what the program does when it tests itself and when it is left.
    says
        The version that the program says; the one of the archive where it is empty.
    data
        Bytes of what comes with the program.
    """
    script = SCRIPT.format(version=says or version, test=test, leave=leave).encode()
    path = folder / f"mammoscope-{version}.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        for name, content, mode in (
            (f"{NAME}-{version}/{PROGRAM}", script, 0o755),
            (f"{NAME}-{version}/_internal/data.bin", b"1" * data, 0o644),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    release = Release(version, "reader", platform or this_platform(), library, size)
    (signed_by or publisher()).sign(path, release.to_comment())
    return path


def make_program(folder: Path, version: str = "0.1.0", library: int = LIBRARY) -> Program:
    """What is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / PROGRAM
    program.write_text(SCRIPT.format(version=version, test="", leave=""))
    program.chmod(0o755)
    return Program(version, folder, folder, library)
