from __future__ import annotations

from collections import Counter

import pytest

from viewer.core.commands import COMMANDS, command, command_keys


def test_no_key_means_two_things():
    keys = Counter(key for each in COMMANDS for key in each.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_command_is_named_once_and_described():
    assert len({each.id for each in COMMANDS}) == len(COMMANDS)
    for each in COMMANDS:
        assert each.title
        assert each.description.endswith(".")


@pytest.mark.parametrize(
    "gesture",
    [
        *("tool_window", "brighter", "darker", "more_contrast", "less_contrast"),
        *("zoom_in", "zoom_out", "fit", "one_to_one", "invert", "reset", "linked"),
        *("pan_left", "pan_right", "pan_up", "pan_down", "one_up", "loupe_here"),
        *("tool_length", "raw_air", "next_voi", "undo", "heat_map", "next_finding"),
    ],
)
def test_every_gesture_has_a_key(gesture: str):
    assert command_keys()[gesture] == command(gesture).keys[0]
