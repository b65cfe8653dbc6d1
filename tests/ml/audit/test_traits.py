"""Traits of pieces of an image: one that is flat says nothing of what it has not."""

from __future__ import annotations

import numpy as np

from ml.audit.traits import _averaged, _noise


def test_a_flat_piece_has_no_form_of_noise_and_spoils_none() -> None:
    rough = np.random.default_rng(0).normal(0, 1, (32, 32)).astype(np.float32)
    flat = np.zeros((32, 32), np.float32)
    alone = _averaged([_noise(rough)], 5)
    with_flat = _averaged([_noise(rough), _noise(flat)], 5)
    assert with_flat[1:] == alone[1:]
    assert with_flat[0] < alone[0]
    assert np.isnan(_averaged([_noise(flat)], 5)[1:]).all()
    assert np.isnan(_averaged([], 5)).all()
