"""An order to screen a folder, as plain values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml.errors import DataError
from ml.screen.order import DEVICES, SETTLE_S, THUMBNAILS, ScreenOrder
from ml.screen.run import thumbnail_name

PLAIN: dict[str, object] = {"folder": "/in", "out": "/out"}
WHOLE = ScreenOrder(
    "/in",
    "/out",
    patient_pattern=r"P_(\d+)",
    device="cpu",
    processes=4,
    ledger="postgresql://host/x",
    retry_failed=True,
    watch=True,
    settle_s=5.5,
)


def test_an_order_comes_back_from_what_a_job_is_given() -> None:
    for order in (WHOLE, ScreenOrder("/in", "/out")):
        assert ScreenOrder.from_json(json.loads(json.dumps(order.to_json()))) == order


def test_folder_and_results_are_enough() -> None:
    order = ScreenOrder.from_json(PLAIN)
    assert order == ScreenOrder("/in", "/out")
    assert (order.device, order.settle_s, order.watch) == ("auto", SETTLE_S, False)


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_is_one_of_those_that_there_are(device: str) -> None:
    assert ScreenOrder.from_json(PLAIN | {"device": device}).device == device


def test_whole_seconds_are_seconds() -> None:
    assert ScreenOrder.from_json(PLAIN | {"settle_s": 3}).settle_s == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"folder": 3},
        {"folder": ""},
        {"out": None},
        {"out": ""},
        {"device": "tpu"},
        {"device": None},
        {"processes": "4"},
        {"processes": 1.5},
        {"processes": True},
        {"processes": -1},
        {"retry_failed": 1},
        {"watch": "yes"},
        {"settle_s": "60"},
        {"settle_s": True},
        {"settle_s": -1.0},
        {"settle_s": float("nan")},
        {"settle_s": float("inf")},
        {"ledger": Path("x")},
        {"unknown": 1},
    ],
)
def test_what_is_no_order_is_refused_with_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="cannot be carried out") as told:
        ScreenOrder.from_json(PLAIN | wrong)
    assert set(wrong) & set(told.value.detail.split(", "))


@pytest.mark.parametrize("missing", ["folder", "out"])
def test_an_order_without_a_folder_is_refused(missing: str) -> None:
    with pytest.raises(DataError, match="cannot be carried out"):
        ScreenOrder.from_json({name: value for name, value in PLAIN.items() if name != missing})


@pytest.mark.parametrize("pattern", ["(", "*", "(?P<x>", "[a"])
def test_a_rule_that_is_no_regular_expression_is_refused(pattern: str) -> None:
    with pytest.raises(DataError, match="is no regular expression"):
        ScreenOrder.from_json(PLAIN | {"patient_pattern": pattern})


def test_both_folders_are_known_by_their_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    order = ScreenOrder("link/../in", "link/out")
    assert order.root == tmp_path / "in"
    assert order.results == tmp_path / "in" / "out"


def test_pictures_lie_where_a_walk_leaves_them_out() -> None:
    assert thumbnail_name("/in/a.dcm").startswith(f"{THUMBNAILS}/")
