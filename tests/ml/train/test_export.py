"""Writing packs: what of a graph is rounded."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset13

from ml.train.export import LEAST_HALVED, halve


def test_only_the_large_constants_are_rounded() -> None:
    rng = np.random.default_rng(20261123)
    large = rng.normal(size=(LEAST_HALVED // 100, 100)).astype(np.float32)
    small = rng.normal(size=100).astype(np.float32)
    given = opset13.parameter([1, len(large)], np.float32)
    sums = opset13.matmul(given, opset13.constant(large), False, False)
    graph = openvino.Model([opset13.add(sums, opset13.constant(small))], [given])

    halve(graph)

    stored = {node.data.shape: node.data for node in graph.get_ops() if is_constant(node)}
    assert stored[large.shape].dtype == np.float16
    np.testing.assert_array_equal(stored[100,], small)
    image = rng.normal(size=(1, len(large))).astype(np.float32)
    said = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = image @ large.astype(np.float16).astype(np.float32) + small
    np.testing.assert_allclose(said(image)[0], expected, atol=1e-4)


def is_constant(node: openvino.Node) -> bool:
    return node.get_type_name() == "Constant"
