"""The list that a window reads comes back as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.errors import DataError
from ml.screen.ranking import Group
from ml.screen.worklist import WORKLIST, WorkList, read_worklist, write_worklist
from tests.factories.worklists import make_rank, make_summary

if TYPE_CHECKING:
    from pathlib import Path

    from ml.distribution import Distribution


def test_it_comes_back(tmp_path: Path) -> None:
    late = make_rank(
        "2", group=Group.ATTENTION, reasons=("LCC is missing.",), density=None, breasts=()
    )
    one = WorkList("/a", {"detector": "d@1"}, "2026-01-02", 0.5, (late, make_rank("1")))
    write_worklist(tmp_path / WORKLIST, one)
    assert read_worklist(tmp_path / WORKLIST) == one


@pytest.mark.parametrize("distribution", [make_summary().distribution, None])
def test_its_summary_comes_back(tmp_path: Path, distribution: Distribution | None) -> None:
    summary = make_summary(distribution=distribution)
    one = WorkList("/a", {}, "2026-01-02", 0.5, (make_rank("1"),), summary)
    write_worklist(tmp_path / WORKLIST, one)
    assert read_worklist(tmp_path / WORKLIST).summary == summary


def test_a_list_of_before_there_were_summaries_is_read(tmp_path: Path) -> None:
    write_worklist(tmp_path / WORKLIST, WorkList("/a", {}, "2026-01-02", None, ()))
    path = tmp_path / WORKLIST
    path.write_text(path.read_text().replace(', "summary": null', ""))
    assert read_worklist(path).summary is None


@pytest.mark.parametrize("content", ["", "{}", '{"form": 99}\n', "no JSON\n", None])
def test_what_is_no_list_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / WORKLIST).write_text(content)
    with pytest.raises(DataError, match="screen the folder again"):
        read_worklist(tmp_path / WORKLIST)
