"""Which program this is: its version, and the commit where one is known."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from ml.places import RESOURCES

if TYPE_CHECKING:
    from pathlib import Path

# What a build may write of the commit that it froze, among the resources.
COMMIT = "commit.txt"
# Digits of a commit that are told: enough for any repository.
DIGITS = 12
_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Above the packages: the checkout, or the frozen program's folder.
ROOT = RESOURCES.parent


def code_version(root: Path = ROOT) -> str:
    """As ``0.1.0+g0123456789ab``; the version alone where no commit is known.

    Git itself is not asked, which may be missing: whether files of the checkout were changed
    since the commit is not known.
    """
    try:
        number = version("mammoscope")
    except PackageNotFoundError:
        number = "0"
    commit = commit_of(root)
    return f"{number}+g{commit[:DIGITS]}" if commit else number


def commit_of(root: Path = ROOT) -> str:
    """The commit's whole name, as a build wrote it or a checkout has it; empty: unknown."""
    return _written(root / RESOURCES.name / COMMIT) or _checked_out(root / ".git")


def _checked_out(git: Path) -> str:
    """The commit of a checkout (gitrepository-layout); empty where there is none."""
    if git.is_file():  # a worktree of its own
        git = git.parent / _text(git).removeprefix("gitdir:").strip()
    head = _text(git / "HEAD")
    if not head.startswith("ref:"):
        return _commit(head)
    name = head.removeprefix("ref:").strip()
    common = git / (_text(git / "commondir") or ".")
    return _commit(_text(common / name)) or _packed(common / "packed-refs", name)


def _packed(refs: Path, name: str) -> str:
    lines = (line.split() for line in _text(refs).splitlines())
    return next((_commit(line[0]) for line in lines if line[1:] == [name]), "")


def _written(path: Path) -> str:
    return _commit(_text(path))


def _commit(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
