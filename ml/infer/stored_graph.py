"""The exported graph, whose numbers are stored once: with the training weights.

`graph.xml.gz` says where each constant lies in one row of bytes. The row is `graph.bin`, which
holds what the weights do not, such as the detector's anchors, and after it the tensors of
`weights.safetensors` in the order of their names, as float32. OpenVINO folds normalization into
convolutions when it compiles the graph for a processor, not before.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import openvino
    from numpy.typing import NDArray

    from ml.registry import ModelPack

LARGEST_GRAPH = 64 << 20
# For zlib: a gzip file.
_GZIP = 16 + zlib.MAX_WBITS


def read_graph(core: openvino.Core, pack: ModelPack) -> openvino.Model:
    """Put a checked pack's graph together.

    Raises
    ------
    RuntimeError
        Where OpenVINO cannot read it.
    """
    import openvino
    from safetensors.numpy import load_file

    constants = openvino.Tensor(row_of(pack.constants, load_file(pack.weights)))
    return core.read_model(graph_text(pack.graph), constants)


def graph_text(path: Path) -> str:
    """A graph's XML, unpacked where its name says that it is packed.

    Raises
    ------
    RuntimeError
        Where it is damaged, or no graph is so large.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        unpacker = zlib.decompressobj(_GZIP)
        try:
            content = unpacker.decompress(content, LARGEST_GRAPH)
        except zlib.error as error:
            raise RuntimeError(f"a graph that cannot be unpacked: {error}") from error
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise RuntimeError("a graph that is too large, or cut off")
    return content.decode("utf-8")


def row_of(path: Path, weights: Mapping[str, NDArray[np.generic]]) -> NDArray[np.uint8]:
    """The bytes that a graph's constants lie in.

    Parameters
    ----------
    path
        The pack's `graph.bin`.
    weights
        The pack's tensors by name.
    """
    shared = (tensor.view(np.uint8) for _, tensor in tensors_in_order(weights))
    return np.concatenate((np.fromfile(path, np.uint8), *shared))


def tensors_in_order(
    weights: Mapping[str, NDArray[np.generic]],
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Names and flat float32 values of what a graph may share; counters stay away."""
    for name in sorted(weights):
        if np.issubdtype(weights[name].dtype, np.floating):
            yield name, np.ascontiguousarray(weights[name], np.float32).ravel()
