"""Texts inside a PNG file, so that a picture that lies alone still says what it is."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# PNG, third edition, 5.2 and 11.2.1: the signature, then IHDR of 13 bytes with its frame of 12.
_IHDR_END = 8 + 12 + 13


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """A PNG file with texts behind its first chunk, where readers find them before the pixels.

    Parameters
    ----------
    texts
        By keyword: 1 to 79 letters of Latin-1 (PNG, 11.3.3.1). Any text is taken.
    """
    chunks = b"".join(_chunk(keyword, text) for keyword, text in texts.items())
    return png[:_IHDR_END] + chunks + png[_IHDR_END:]


def _chunk(keyword: str, text: str) -> bytes:
    """One iTXt chunk (PNG, 11.3.3.4): UTF-8, not compressed, of no named language."""
    content = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8")
    return (
        struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    )
