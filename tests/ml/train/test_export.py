"""Writing packs: what is rounded, and that every number is stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openvino
import pytest
import torch
from openvino import opset13
from safetensors.numpy import load_file
from torch import nn

from ml.infer.on_cpu import CpuEngine
from ml.infer.stored_graph import row_of
from ml.mammo.prepare import PrepareSpec
from ml.models.classifier import build_classifier
from ml.models.detector import build_detector, deployed
from ml.registry import GRAPH, GRAPH_WEIGHTS, WEIGHTS
from ml.train.export import LEAST_HALVED, export_pack, rounded, store_once
from tests.factories.packs import make_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC = PrepareSpec(rows=128, columns=64)


def test_only_the_large_tensors_are_rounded() -> None:
    given = {
        "large": torch.rand(LEAST_HALVED),
        "small": torch.rand(LEAST_HALVED - 1),
        "steps": torch.tensor(LEAST_HALVED),
    }
    stored = rounded(given)
    assert stored["large"].dtype == torch.float16
    assert torch.equal(stored["small"], given["small"])
    assert torch.equal(stored["steps"], given["steps"])


def test_a_graph_without_its_weights_is_the_same_graph(tmp_path: Path) -> None:
    rng = np.random.default_rng(20261123)
    weights = {"b": rng.normal(size=(5, 3)), "a": rng.normal(size=3), "unused": np.ones(7)}
    weights = {name: value.astype(np.float32) for name, value in weights.items()}
    own = rng.normal(size=3).astype(np.float32)
    given = opset13.parameter([1, 5], np.float32)
    product = opset13.matmul(given, opset13.constant(weights["b"]), False, False)
    sums = opset13.add(product, opset13.constant(weights["a"]))
    outputs = [opset13.multiply(sums, opset13.constant(own))]
    graph = openvino.Model(outputs, [given], "small")
    openvino.serialize(graph, tmp_path / GRAPH, tmp_path / GRAPH_WEIGHTS)

    store_once(tmp_path, weights)

    row = row_of(tmp_path / GRAPH_WEIGHTS, weights)
    kept = (tmp_path / GRAPH_WEIGHTS).read_bytes()
    assert own.tobytes() in kept
    assert not any(value.tobytes() in kept for value in weights.values())
    core = openvino.Core()
    again = core.read_model((tmp_path / GRAPH).read_text(), openvino.Tensor(row))
    image = rng.normal(size=(1, 5)).astype(np.float32)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    said = core.compile_model(again, "CPU", exact)(image)[0]
    expected = (image @ weights["b"] + weights["a"]) * own
    np.testing.assert_allclose(said, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("role", "build"),
    [("detector", build_detector), ("classifier", lambda: build_classifier(pretrained=False))],
)
def test_a_pack_holds_no_number_twice(
    tmp_path: Path, role: str, build: Callable[[], nn.Module]
) -> None:
    torch.manual_seed(20261123)
    model = build()
    canvases = np.random.default_rng(1).random((2, 1, SPEC.rows, SPEC.columns), np.float32)
    with torch.no_grad():
        model.train()(torch.from_numpy(canvases))  # so that normalization has seen something

    pack = export_pack(tmp_path / role, model.eval(), make_card(role, {}, SPEC), canvases)

    weights = load_file(pack.weights)
    numbers = sum(value.nbytes for value in weights.values())
    assert pack.weights.stat().st_size < 1.02 * numbers + 100_000, WEIGHTS
    # Anchors: two coordinates and a stride for each, of 8, 16 and 32 pixels.
    assert pack.constants.stat().st_size < 10_000


def test_a_detector_takes_canvases_of_any_size(tmp_path: Path) -> None:
    torch.manual_seed(20261124)
    model = build_detector()
    canvases = np.random.default_rng(1).random((2, 1, SPEC.rows, SPEC.columns), np.float32)
    with torch.no_grad():
        model.train()(torch.from_numpy(canvases))
    pack = export_pack(
        tmp_path / "detector", model.eval(), make_card("detector", {}, SPEC), canvases
    )
    network, graph = deployed(model), CpuEngine("f32").load(pack)
    for shape in ((64, 64), (128, 64), (64, 192)):
        canvas = np.random.default_rng(2).random((1, 1, *shape), np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(canvas)).numpy()
        np.testing.assert_allclose(graph(canvas)[0], expected, rtol=0.02, atol=0.3)
