"""Which program this is, from what lies around it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from ml.program import COMMIT, code_version

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = version("mammoscope")
HASH = "0123456789abcdef0123456789abcdef01234567"
OTHER = HASH[::-1]
TOLD = f"{NUMBER}+g{HASH[:12]}"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_program_without_a_checkout_has_its_version_alone(tmp_path: Path) -> None:
    assert code_version(tmp_path) == NUMBER


@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": f"{HASH}\n"},
        {"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{HASH}\n"},
        {
            "HEAD": "ref: refs/heads/main\n",
            "packed-refs": f"# all\n{OTHER} refs/heads/old\n{HASH} refs/heads/main\n^{OTHER}",
        },
    ],
)
def test_a_checkout_says_its_commit(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write(tmp_path / ".git" / name, text)
    assert code_version(tmp_path) == TOLD


def test_a_worktree_says_its_commit(tmp_path: Path) -> None:
    own = tmp_path / "main" / ".git" / "worktrees" / "side"
    write(tmp_path / "side" / ".git", f"gitdir: {own}\n")
    write(own / "HEAD", "ref: refs/heads/side\n")
    write(own / "commondir", "../..\n")
    write(tmp_path / "main" / ".git" / "refs" / "heads" / "side", HASH)
    assert code_version(tmp_path / "side") == TOLD


def test_a_build_says_what_was_written_into_it(tmp_path: Path) -> None:
    write(tmp_path / "resources" / COMMIT, HASH)
    write(tmp_path / ".git" / "HEAD", OTHER)
    assert code_version(tmp_path) == TOLD


@pytest.mark.parametrize("text", ["", "ref: refs/heads/main", "nothing", HASH[:9]])
def test_a_broken_checkout_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path / ".git" / "HEAD", text)
    assert code_version(tmp_path) == NUMBER
