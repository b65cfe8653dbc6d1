"""Signatures: ours as minisign reads them, minisign's as we do, and what is taken for none."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.factories.updates import publisher
from viewer.core.errors import UpdateError
from viewer.update.signature import check_signature, read_public_key, read_signature

if TYPE_CHECKING:
    from pathlib import Path

needs_minisign = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="minisign is not installed"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "update.tar.xz"
    path.write_bytes(b"a version" * 1000)
    return path


def check(path: Path, *lines: str) -> str:
    """The number of the key that signed, or the sentence."""
    signature = read_signature(path.with_name(f"{path.name}.minisig").read_text())
    with path.open("rb") as opened:
        return check_signature(
            opened, signature, [read_public_key(each) for each in lines]
        ).number


def minisign(*arguments: object) -> str:
    command = ["minisign", *(str(each) for each in arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def test_what_a_trusted_publisher_signed_is_known(file: Path) -> None:
    publisher().sign(file, "mammoscope 1")
    other = publisher(1).line
    assert check(file, publisher().line) == "EFCDAB8967452301"
    with pytest.raises(UpdateError, match="not what its publisher signed"):
        # The same number, another key.
        check(file, other)


def test_nobody_is_trusted_who_is_not_named(file: Path) -> None:
    publisher().sign(file, "mammoscope 1")
    with pytest.raises(UpdateError, match="EFCDAB8967452301, which is not trusted"):
        check(file)


@pytest.mark.parametrize("what", ["file", "comment", "signature"])
def test_what_was_changed_is_refused(file: Path, what: str) -> None:
    beside = publisher().sign(file, "mammoscope version=1")
    if what == "file":
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    elif what == "comment":
        beside.write_text(beside.read_text().replace("version=1", "version=2"))
    else:
        lines = beside.read_text().splitlines()
        # Another letter of the signature, not of the key's number.
        lines[1] = lines[1][:40] + ("A" if lines[1][40] != "A" else "B") + lines[1][41:]
        beside.write_text("\n".join(lines))
    with pytest.raises(UpdateError, match="not what its publisher signed"):
        check(file, publisher().line)


def test_an_older_signature_does_not_fit_a_newer_comment(file: Path) -> None:
    beside = publisher().sign(file, "version 1")
    older = beside.read_text().splitlines()
    beside = publisher().sign(file, "version 2")
    newer = beside.read_text().splitlines()
    beside.write_text("\n".join([older[0], older[1], newer[2], older[3]]))
    with pytest.raises(UpdateError, match="not what its publisher signed"):
        check(file, publisher().line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no signature",
        "untrusted comment: a\nRUQ=\ntrusted comment: b\nAAAA",
        "untrusted comment: a\n\u00fc\ntrusted comment: b\n\u00fc",
        "untrusted comment: a\n" + "A" * 100 + "\ntrusted comment: b\n" + "A" * 88,
    ],
)
def test_what_is_no_signature_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UpdateError, match="none of minisign's"):
        read_signature(text)


@pytest.mark.parametrize("text", ["", "RW", "RWQ!", "A" * 56, "RWQ" + "A" * 80])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UpdateError, match="no public key"):
        read_public_key(text)


@needs_minisign
def test_minisign_and_we_agree(file: Path, tmp_path: Path) -> None:
    public, secret = tmp_path / "key.pub", tmp_path / "key.sec"
    minisign("-G", "-W", "-p", public, "-s", secret)
    minisign("-S", "-s", secret, "-m", file, "-t", "mammoscope 0.2.0 \u00e4")
    key = read_public_key(public.read_text())
    # It leaves the zeros in front out.
    assert f" {key.number.lstrip('0')}\n" in public.read_text()
    assert check(file, public.read_text()) == key.number
    signature = read_signature(file.with_name(f"{file.name}.minisig").read_text())
    assert signature.comment == "mammoscope 0.2.0 \u00e4"
    # And the other way round: what the tests sign, it takes.
    publisher().sign(file, "ours")
    assert "ours" in minisign("-V", "-P", publisher().line, "-m", file)


@needs_minisign
def test_a_signature_of_the_file_itself_is_not_taken(file: Path, tmp_path: Path) -> None:
    public, secret = tmp_path / "key.pub", tmp_path / "key.sec"
    minisign("-G", "-W", "-p", public, "-s", secret)
    minisign("-S", "-l", "-s", secret, "-m", file)
    with pytest.raises(UpdateError, match="none of minisign's"):
        check(file, public.read_text())
