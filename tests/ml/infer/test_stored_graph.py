"""A graph that is packed says what it says plain; a damaged or endless one is refused."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from ml.infer.stored_graph import LARGEST_GRAPH, graph_text
from ml.registry import GRAPH, PACKED_GRAPH
from ml.train.export import pack_graph

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_the_same_packed_and_plain(tmp_path: Path) -> None:
    text = "<net name='ü'>" + "<layer/>" * 5000 + "</net>"
    (tmp_path / GRAPH).write_text(text, "utf-8")
    assert graph_text(tmp_path / GRAPH) == text
    pack_graph(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [PACKED_GRAPH]
    assert graph_text(tmp_path / PACKED_GRAPH) == text


@pytest.mark.parametrize("what", ["damaged", "cut off", "endless"])
def test_what_is_no_graph_is_refused(tmp_path: Path, what: str) -> None:
    content = gzip.compress(bytes(LARGEST_GRAPH + 1) if what == "endless" else b"<net/>" * 99)
    if what != "endless":
        content = content[:20] if what == "cut off" else b"no archive"
    (tmp_path / PACKED_GRAPH).write_bytes(content)
    with pytest.raises(RuntimeError, match="graph"):
        graph_text(tmp_path / PACKED_GRAPH)
