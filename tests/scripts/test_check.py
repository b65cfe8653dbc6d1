from __future__ import annotations

from typing import TYPE_CHECKING

import check

if TYPE_CHECKING:
    import pytest


def test_the_checks_stand_in_order() -> None:
    names = [name for name, _command in check.steps()]
    assert names == ["ruff check", "ruff format", "pyright", "import directions", "tests"]


def test_the_first_failure_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = iter([0, 3])
    monkeypatch.setattr(check.subprocess, "call", lambda *_words, **_options: next(codes))
    assert check.main() == 3
    assert capsys.readouterr().out.splitlines()[-1] == "== ruff format failed"
