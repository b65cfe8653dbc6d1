"""One augmented training crop: drawn once for each image of each step, beside its bare warp."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from tables import Row, Table, at_most, median_ms

from ml.data.augment import Augmentation, draw_tone, draw_warp

SIDE = 512
MIDDLE = (600, 400)
EVERYTHING = Augmentation(rotation_deg=20, flip_columns=0.5, shift_px=15, elastic_share=1)


def measure() -> Table:
    """Measure one crop on one thread, every change in it."""
    image = np.random.default_rng(0).integers(0, 65536, (1280, 832), np.uint16)
    seeds = itertools.count()

    def crop() -> None:
        rng = np.random.default_rng(next(seeds))
        warp = draw_warp(EVERYTHING, rng, MIDDLE, SIDE, SIDE)
        draw_tone(EVERYTHING, rng).apply(warp.pixels(image), rng)

    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    whole = median_ms(crop, 100)
    bare = median_ms(lambda: cv2.remap(image, columns, rows, cv2.INTER_LINEAR), 100)
    return Table(
        "Drawing one training crop of 512 pixels",
        (
            at_most("every change: turned, bent, toned, noise", whole, "ms", 10),
            Row("the pixels moved, alone", bare, "ms"),
        ),
    )
