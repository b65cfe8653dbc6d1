"""Who signed a file: minisign's signatures, checked with Ed25519 of `cryptography`.

The format is minisign's (https://jedisct1.github.io/minisign/): of the file the BLAKE2b-512
hash is signed, and with a second signature the first one together with a line of text, the
trusted comment. Older signatures, of the file itself, are not taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.texts import mark
from viewer.core.errors import UpdateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader

_KEY_KIND, _SIGNATURE_KIND = b"Ed", b"ED"
_KIND_BYTES, _ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 2, 8, 32, 64
_UNTRUSTED, _TRUSTED = "untrusted comment:", "trusted comment: "
_LINES = 4


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A publisher's key.

    Attributes
    ----------
    number
        16 hexadecimal digits, as `minisign` shows them.
    key
        Ed25519's, 32 bytes.
    """

    number: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands in a ``.minisig`` file.

    Attributes
    ----------
    number
        Of the key that is said to have signed.
    signature
        Of the file's hash, 64 bytes.
    comment
        The trusted comment.
    of_comment
        Of `signature` and `comment`, 64 bytes.
    """

    number: str
    signature: bytes
    comment: str
    of_comment: bytes


def read_public_key(text: str) -> PublicKey:
    """Read a public key: the line that minisign prints, or its file with the comment above.

    Raises
    ------
    UpdateError
        Where it is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    content = _decoded(lines[-1] if lines else "")
    if len(content) != _KIND_BYTES + _ID_BYTES + _KEY_BYTES or not content.startswith(
        _KEY_KIND
    ):
        raise UpdateError(
            mark(
                "{key} is no public key of minisign; it is a line of 56 letters that begins "
                "with RW."
            ),
            key=(lines[-1] if lines else "")[:60],
        )
    return PublicKey(_number(content), content[_KIND_BYTES + _ID_BYTES :])


def read_signature(text: str) -> Signature:
    """Read a ``.minisig`` file.

    Raises
    ------
    UpdateError
        Where it is none.
    """
    lines = text.splitlines()
    if len(lines) < _LINES or not lines[0].startswith(_UNTRUSTED):
        raise UpdateError(_STRANGE)
    content, of_comment = _decoded(lines[1]), _decoded(lines[3])
    whole = _KIND_BYTES + _ID_BYTES + _SIGNATURE_BYTES
    right = len(content) == whole and len(of_comment) == _SIGNATURE_BYTES
    if (
        not right
        or not content.startswith(_SIGNATURE_KIND)
        or not lines[2].startswith(_TRUSTED)
    ):
        raise UpdateError(_STRANGE)
    comment = lines[2].removeprefix(_TRUSTED)
    return Signature(_number(content), content[_KIND_BYTES + _ID_BYTES :], comment, of_comment)


def check_signature(
    file: BufferedReader, signature: Signature, trusted: Iterable[PublicKey]
) -> PublicKey:
    """Find the trusted key that signed a file and the comment.

    Parameters
    ----------
    file
        Open at its beginning; it is read to its end.

    Raises
    ------
    UpdateError
        Where nobody of whom updates are taken signed it, or it was changed since.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signer = next((each for each in trusted if each.number == signature.number), None)
    if signer is None:
        raise UpdateError(
            mark(
                "The update is signed with the key {number}, which is not trusted here; if it "
                "is your publisher's, put the public key into Tools, Settings, Trusted keys."
            ),
            number=signature.number,
        )
    key = Ed25519PublicKey.from_public_bytes(signer.key)
    told = signature.signature + signature.comment.encode("utf-8")
    try:
        key.verify(signature.of_comment, told)
        key.verify(signature.signature, hashlib.file_digest(file, hashlib.blake2b).digest())
    except InvalidSignature as error:
        raise UpdateError(
            mark(
                "The update is not what its publisher signed: it was changed, or did not "
                "arrive whole. Fetch it again."
            )
        ) from error
    return signer


_STRANGE = mark(
    "The signature of the update is none of minisign's; fetch the .minisig file again that is "
    "handed out with the update."
)


def _decoded(line: str) -> bytes:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _number(content: bytes) -> str:
    # Least significant byte first, as minisign prints it.
    return content[_KIND_BYTES : _KIND_BYTES + _ID_BYTES][::-1].hex().upper()
