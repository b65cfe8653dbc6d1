"""How long the bare decoder takes for four large views, one after the other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from studies import SYNTAXES, write_large_study
from tables import Row, Table, median_ms

from ml.mammo.pixels import read_pixels
from ml.mammo.scan import find_images


def measure() -> Table:
    """Decode four 4096 x 3328 views from each transfer syntax."""
    rows: list[Row] = []
    for syntax in SYNTAXES:
        with tempfile.TemporaryDirectory() as folder:
            images = find_images(write_large_study(Path(folder), syntax)).images
            rows.append(Row(syntax, median_ms(lambda: [read_pixels(i) for i in images]), "ms"))  # noqa: B023 called at once
    return Table("Bare decode of four 4096 x 3328 views", tuple(rows))
