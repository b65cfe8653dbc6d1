"""How scores lie: shares between quantiles, and what a card keeps."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ml.distribution import QUANTILES, Distribution, Part, distribution_from_json

EVEN = Part(tuple(map(float, np.linspace(0, 1, QUANTILES))), 200, 50)
# Six of ten images have no mark at all.
TIED = Part((0.0,) * 31 + tuple(map(float, np.linspace(0.5, 1, 20))), 100, 40)
BOTH = Distribution(EVEN, TIED, "simulated, test")


@pytest.mark.parametrize(
    ("part", "score", "share"),
    [
        (EVEN, -0.1, 0.0),
        (EVEN, 0.25, 0.25),
        (EVEN, 1.0, 1.0),
        (EVEN, 2.0, 1.0),
        (TIED, -1e-9, 0.0),
        (TIED, 0.0, 0.6),
        (TIED, 0.25, 0.61),
        (TIED, 0.5, 0.62),
    ],
)
def test_shares_rise_in_lines_and_jump_where_many_are_alike(
    part: Part, score: float, share: float
) -> None:
    assert part.share_to(score) == pytest.approx(share)


def test_it_comes_back_from_json_as_it_was() -> None:
    nobody = replace(BOTH, with_lesion=Part((), 0, 0))
    for one in (BOTH, nobody):
        assert distribution_from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    "change",
    [
        {"quantiles": [0.1, 0.2]},
        {"quantiles": [1.0 - score for score in EVEN.quantiles]},
        {"quantiles": []},
        {"patients": 0},
        {"patients": 201},
        {"images": None},
    ],
)
def test_what_is_no_distribution_is_refused(change: dict[str, object]) -> None:
    content = json.loads(json.dumps(BOTH.to_json()))
    content["without"] |= change
    with pytest.raises((TypeError, ValueError)):
        distribution_from_json(content)
