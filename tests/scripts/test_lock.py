from __future__ import annotations

import re
from typing import TYPE_CHECKING

import lock
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_packages_that_are_left_out_are_not_in_the_lock() -> None:
    text = lock.LOCK.read_text(encoding="utf-8")
    names = {block.split("==")[0] for block in lock.blocks_of(text)}
    assert names.isdisjoint(lock.LEFT_OUT)
    assert {"opencv-python-headless", "openvino", "torch"} <= names


def test_leaving_out_keeps_the_other_blocks_whole() -> None:
    text = "a==1 \\\n    --hash=x\nopencv-python==5 \\\n    --hash=y\nb==2 \\\n    --hash=z\n"
    assert lock.leave_out(text) == "a==1 \\\n    --hash=x\nb==2 \\\n    --hash=z\n"


@pytest.mark.parametrize("made", [lock.LOCK, lock.CLUSTER_LOCK])
def test_the_lock_names_no_registry(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize("made", [lock.LOCK, lock.CLUSTER_LOCK])
def test_every_package_has_a_hash(made: Path) -> None:
    blocks = lock.blocks_of(made.read_text(encoding="utf-8"))
    assert all("--hash=sha256:" in block for block in blocks[1:])


def test_the_clusters_lock_has_what_the_first_has_not_and_nothing_else() -> None:
    first, second = (
        {lock.name_of(block) for block in lock.blocks_of(made.read_text(encoding="utf-8"))}
        for made in (lock.LOCK, lock.CLUSTER_LOCK)
    )
    assert {"ray", "psycopg", "psycopg-binary"} <= second
    assert {name for name in first & second if not name.startswith("#")} == set()


def test_what_another_lock_has_is_dropped() -> None:
    text = "a==1 ; x \\\n    --hash=x\nb==2 \\\n    --hash=y\n    # via a\nc==3\n"
    assert lock.besides(text, "# made\na==1 ; x \\\n    --hash=x\nc==3\n") == (
        "b==2 \\\n    --hash=y\n    # via a\n"
    )
