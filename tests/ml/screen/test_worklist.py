"""The list that a window reads comes back as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, Laterality
from ml.screen.ranking import BreastRank, Group, Placed, StudyRank
from ml.screen.worklist import WORKLIST, WorkList, read_worklist, write_worklist

if TYPE_CHECKING:
    from pathlib import Path


def make_rank(key: str, **changes: object) -> StudyRank:
    plain: dict[str, object] = {
        "key": key,
        "study_uid": f"1.2.{key}",
        "patient_id": f"WOMAN {key}",
        "date": "20260102",
        "synthetic": False,
        "group": Group.RANKED,
        "reasons": (),
        "breasts": (BreastRank(Laterality.RIGHT, 0.25, 0.1, None, above=False),),
        "score": 0.25,
        "probability": 0.1,
        "above": False,
        "density": BreastDensity.B,
        "images": 1,
        "refused": 0,
        "failed": 0,
        "waiting": 0,
        "places": (Placed("/a folder/ü.zip!/x.dcm", "RCC"),),
    }
    return StudyRank(**(plain | changes))  # type: ignore[arg-type]


def test_it_comes_back(tmp_path: Path) -> None:
    late = make_rank(
        "2", group=Group.ATTENTION, reasons=("LCC is missing.",), density=None, breasts=()
    )
    one = WorkList("/a", {"detector": "d@1"}, "2026-01-02", 0.5, (late, make_rank("1")))
    write_worklist(tmp_path / WORKLIST, one)
    assert read_worklist(tmp_path / WORKLIST) == one


@pytest.mark.parametrize("content", ["", "{}", '{"form": 99}\n', "no JSON\n", None])
def test_what_is_no_list_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / WORKLIST).write_text(content)
    with pytest.raises(DataError, match="screen the folder again"):
        read_worklist(tmp_path / WORKLIST)
