"""Four-view phantom studies at 100 um: how many a minute, beside their noise alone."""

from __future__ import annotations

import itertools

import numpy as np
from tables import Row, Table, at_least, median_ms

from ml.phantom.phantom import STANDARD_VIEWS, make_phantom
from ml.phantom.tissue import SHEETS, power_law_noise
from ml.phantom.woman import draw_woman

PIXEL_MM = 0.1
# Two fields of noise for each sheet of ligaments, and some more for gland, veil and muscle.
FIELDS = 2 * SHEETS + 7


def measure() -> Table:
    """Measure in one process; several would share the women out."""
    seeds = itertools.count(500)

    def study() -> None:
        woman = draw_woman(next(seeds))
        for side, view in STANDARD_VIEWS:
            make_phantom(woman, side, view, pixel_mm=PIXEL_MM)

    one = median_ms(study, 3)
    rng = np.random.default_rng(0)
    bare = median_ms(
        lambda: [power_law_noise((1100, 640), 3.0, 0.2, rng) for _ in range(4 * FIELDS)], 3
    )
    return Table(
        "Simulating a four-view study at 100 um",
        (
            Row("one study", one, "ms"),
            Row("its fields of noise alone", bare, "ms"),
            at_least("studies a minute", 60_000 / one, "", 4),
        ),
    )
