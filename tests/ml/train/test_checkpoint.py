"""A checkpoint is the old one or the new one, whatever the disk says."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from ml.data.canvases import write_canvases
from ml.mammo.prepare import PrepareSpec
from ml.train.checkpoint import Average, Training
from tests.factories.disks import small_disk
from tests.factories.truths import make_item

resource = pytest.importorskip("resource", reason="Windows has no such limit")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOM = 100_000


@contextmanager
def little_room() -> Iterator[None]:
    """No file may grow over `ROOM` bytes, as if the disk were full there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def training(width: int) -> Training:
    model = nn.Linear(width, width)
    optimizer = torch.optim.AdamW(model.parameters())
    return Training(model, Average(model), optimizer, {"width": width})


def test_a_checkpoint_that_finds_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "detector.pt"
    large = training(200)
    large.save(path, 3)
    before = path.read_bytes()
    assert len(before) > ROOM
    with little_room(), pytest.raises(OSError, match="large") as told:
        large.save(path, 6)
    assert told.value.errno == errno.EFBIG
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert large.resume(path) == 3


def test_images_that_find_the_disk_full_are_an_error_not_the_end(tmp_path: Path) -> None:
    spec = PrepareSpec(rows=256, columns=160, pixel_mm=0.8)
    images = ((np.ones((256, 160), np.uint16), make_item()) for _ in range(50))
    with small_disk(tmp_path / "disk", 2) as disk:
        with pytest.raises(OSError, match="space") as told:
            write_canvases(disk, images, 50, spec)
        assert told.value.errno == errno.ENOSPC
        assert not (disk / "canvases.json").exists(), "what says that they are whole"
