from __future__ import annotations

import re

import lock


def test_the_packages_that_are_left_out_are_not_in_the_lock() -> None:
    text = lock.LOCK.read_text(encoding="utf-8")
    names = {block.split("==")[0] for block in lock.blocks_of(text)}
    assert names.isdisjoint(lock.LEFT_OUT)
    assert {"opencv-python-headless", "openvino", "torch"} <= names


def test_leaving_out_keeps_the_other_blocks_whole() -> None:
    text = "a==1 \\\n    --hash=x\nopencv-python==5 \\\n    --hash=y\nb==2 \\\n    --hash=z\n"
    assert lock.leave_out(text) == "a==1 \\\n    --hash=x\nb==2 \\\n    --hash=z\n"


def test_the_lock_names_no_registry() -> None:
    text = lock.LOCK.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_every_package_has_a_hash() -> None:
    blocks = lock.blocks_of(lock.LOCK.read_text(encoding="utf-8"))
    assert all("--hash=sha256:" in block for block in blocks[1:])
