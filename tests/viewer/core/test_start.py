"""What a start asks for, from a command line and from another start's line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from viewer.core.errors import StartError
from viewer.core.start import TOKEN_VARIABLE, Start, start_from_line, start_of, start_to_line


def test_paths_are_told_from_where_they_were_given() -> None:
    start = start_of(["--together", "a.dcm", "/b/c"], {TOKEN_VARIABLE: "t"})
    assert start == Start((Path.cwd() / "a.dcm", Path("/b/c").absolute()), True, False, "t")
    assert start_of(["--new-window"], {}) == Start(alone=True)


@pytest.mark.skipif(sys.platform == "win32", reason="an address without a drive")
def test_an_address_from_the_desktop_is_a_path() -> None:
    assert start_of(["file:///a/b%20c.dcm"], {}).paths == (Path("/a/b c.dcm"),)


def test_a_start_survives_its_line() -> None:
    start = Start((Path("/ä/\udcff b.dcm").absolute(), Path("/c").absolute()), True, token="t")
    line = start_to_line(start)
    assert line.count(b"\n") == 1
    assert start_from_line(line) == start
    assert start_from_line(start_to_line(Start())) == Start()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\n",
        b"[]\n",
        b"{}\n",
        json.dumps({"open": ["a.dcm"], "together": False, "token": ""}).encode(),
        json.dumps({"open": "/a.dcm", "together": False, "token": ""}).encode(),
        json.dumps({"open": [1], "together": False, "token": ""}).encode(),
        json.dumps({"open": [], "together": 1, "token": ""}).encode(),
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(StartError):
        start_from_line(line)
