"""From trained weights to a model pack, checked against each other before anything is kept.

The same check stands as a test over the packs that come with the program.
"""

from __future__ import annotations

import copy
import gzip
import shutil
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import torch

from ml.errors import ModelError
from ml.files import replacing, telling_full
from ml.infer.detections import decode
from ml.infer.on_cpu import CpuEngine
from ml.infer.stored_graph import tensors_in_order
from ml.mammo.geometry import Box
from ml.models.classifier import DeployedClassifier
from ml.models.detector import deployed, for_any_size
from ml.registry import (
    CARD,
    GRAPH,
    GRAPH_WEIGHTS,
    PACKED_GRAPH,
    WEIGHTS,
    ModelCard,
    ModelPack,
    file_sha256,
    write_card,
)
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import openvino
    from numpy.typing import NDArray
    from torch import nn

    from ml.infer.detections import Detections

# What the exported graph may differ by from the torch model (issue: the main job, "Knowing").
LEAST_IOU = 0.95
MOST_SCORE_DIFFERENCE = 0.02
MOST_PROBABILITY_DIFFERENCE = 0.01
# Boxes that nobody would be shown are not compared: below this their order is noise.
COMPARED_SCORE = 0.10
# Tensors with fewer numbers stay in single precision.
LEAST_HALVED = 3_000
# Where a constant may begin among the bytes of all of them, as OpenVINO writes them.
ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an exported graph is from the torch model, at worst.

    Attributes
    ----------
    least_iou
        Of the boxes with a score over `COMPARED_SCORE`; 1 where there is none.
    score, probability
        Greatest absolute difference: of a detector's scores, of a classifier's outputs.
    """

    least_iou: float = 1.0
    score: float = 0.0
    probability: float = 0.0

    @property
    def acceptable(self) -> bool:
        """Within what the program promises."""
        return (
            self.least_iou > LEAST_IOU
            and self.score <= MOST_SCORE_DIFFERENCE
            and self.probability <= MOST_PROBABILITY_DIFFERENCE
        )


def export_pack(
    folder: Path, model: nn.Module, card: ModelCard, canvases: Sequence[NDArray[np.float32]]
) -> ModelPack:
    """Write a pack, or leave the folder as it was.

    Parameters
    ----------
    model
        Trained; in float32.
    card
        Its `files` are filled in here.
    canvases : each (1, rows, columns) float32
        Images on which torch and the graph are compared.

    Raises
    ------
    ModelError
        Where the graph does not say what the torch model says.
    """
    network = deployed_network(model, card.role)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / folder.name
        made.mkdir()
        with telling_full(made):
            files = _write(made, model, card.role, canvases[0][None])
        pack = ModelPack(made, replace(card, files=files))
        difference = compare(network, pack, canvases, "f32")
        if not difference.acceptable:
            raise ModelError(
                mark("The exported graph of {model} differs from its weights."),
                model=card.name,
                detail=str(difference),
            )
        precision = _precision(network, pack, canvases)
        pack = replace(pack, card=replace(pack.card, precision=precision))
        write_card(made, pack.card)
        folder.mkdir(parents=True, exist_ok=True)
        # The card last: where it is, the rest is.
        for name in (*pack.card.files, CARD):
            with replacing(folder / name) as fresh:
                shutil.copyfile(made / name, fresh)
    return ModelPack(folder, pack.card)


def deployed_network(model: nn.Module, role: str) -> nn.Module:
    """The network with its exported outputs."""
    network = DeployedClassifier(model) if role == "classifier" else deployed(model)  # type: ignore[arg-type]
    return network.eval()


def compare(
    network: nn.Module,
    pack: ModelPack,
    canvases: Sequence[NDArray[np.float32]],
    precision: str = "",
) -> Difference:
    """Compare torch in float32 with the pack's graph.

    Parameters
    ----------
    precision
        As for `CpuEngine`.
    """
    graph = CpuEngine(precision).load(pack)
    worst = Difference()
    for canvas in canvases:
        with torch.no_grad():  # inference_mode would spoil the anchors that YOLO keeps
            given = network(torch.from_numpy(canvas[None]))
        outputs = given if isinstance(given, tuple) else (given,)
        mine = [part.float().numpy() for part in outputs]
        worst = _worse(worst, difference(mine, graph(canvas[None]), pack.card.role))
    return worst


def _precision(
    network: nn.Module, pack: ModelPack, canvases: Sequence[NDArray[np.float32]]
) -> str:
    """bf16 where this processor has it and the model bears it."""
    bears = CpuEngine().has_bf16 and compare(network, pack, canvases, "bf16").acceptable
    return "bf16" if bears else "f32"


def _write(
    folder: Path, model: nn.Module, role: str, example: NDArray[np.float32]
) -> dict[str, str]:
    import openvino
    from safetensors.torch import save_file

    weights = rounded(model.state_dict())
    save_file(weights, str(folder / WEIGHTS))
    stored = copy.deepcopy(model)
    stored.load_state_dict(weights)
    any_size = role != "classifier"
    if any_size:
        for_any_size(stored)
    network = deployed_network(stored, role)
    graph = _graph_of(network, torch.from_numpy(example), any_size=any_size)
    openvino.serialize(graph, folder / GRAPH, folder / GRAPH_WEIGHTS)
    store_once(folder, {name: value.numpy() for name, value in weights.items()})
    pack_graph(folder)
    return {name: file_sha256(folder / name) for name in (WEIGHTS, PACKED_GRAPH, GRAPH_WEIGHTS)}


def pack_graph(folder: Path) -> None:
    """Put the packed graph in place of the plain one; the same graph becomes the same file."""
    plain = folder / GRAPH
    (folder / PACKED_GRAPH).write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()


def rounded(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights as they are stored: large tensors in half precision.

    The many small ones hold each channel's balance: rounded too, they moved a classifier's
    probabilities by 0.02, and kept they are a twentieth of a pack.
    """
    return {
        name: (
            value.half() if value.is_floating_point() and _large(value) else value
        ).contiguous()
        for name, value in weights.items()
    }


def _large(value: torch.Tensor) -> bool:
    return value.numel() >= LEAST_HALVED


def _graph_of(network: nn.Module, example: torch.Tensor, *, any_size: bool) -> openvino.Model:
    """The network as OpenVINO reads it, with its weights untouched.

    A detector's takes canvases of any size (`ml.infer.detectors.trimmed`), others the one.

    `openvino.convert_model` would fold normalization into the convolutions, and no constant
    would be one of the weights any more.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.passes import ConstantFolding, Manager

    with torch.no_grad():
        network(example)  # YOLO makes its anchors for this size once
    frontend = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings():
        # OpenVINO traces the network; that torch will take this away is nothing for who trains.
        warnings.filterwarnings("ignore", r"`torch\.jit\.trace", FutureWarning)
        # Named, because the frontend does not keep it alive.
        decoder = TorchScriptPythonDecoder(network, example_input=example)
    graph = frontend.convert(frontend.load(decoder))
    rows, columns = (-1, -1) if any_size else example.shape[2:]
    graph.reshape({graph.inputs[0]: [1, 1, rows, columns]})
    passes = Manager()
    # What followed from shapes, now that they are fixed.
    passes.register_pass(ConstantFolding())
    passes.run_passes(graph)
    return graph


def store_once(folder: Path, weights: Mapping[str, NDArray[np.generic]]) -> None:
    """Take out of a serialized graph's bytes what the weights hold already.

    Parameters
    ----------
    folder
        With `graph.xml` and `graph.bin` as OpenVINO wrote them; both are written again.
    weights
        The tensors beside them, by name.
    """
    tree = ElementTree.parse(folder / GRAPH)
    row = (folder / GRAPH_WEIGHTS).read_bytes()
    entries = [data for data in tree.iter("data") if "offset" in data.attrib]
    constants = [row[int(e.attrib["offset"]) :][: int(e.attrib["size"])] for e in entries]
    places, end = {}, 0
    for _, tensor in tensors_in_order(weights):
        places.setdefault(tensor.tobytes(), end)
        end += tensor.nbytes
    alone: dict[bytes, int] = {}
    rest = bytearray()
    for constant in constants:
        if constant not in places and constant not in alone:
            alone[constant] = len(rest)
            rest += constant + bytes(-len(constant) % ALIGNMENT)
    for entry, constant in zip(entries, constants, strict=True):
        shared = places.get(constant)
        offset = alone[constant] if shared is None else len(rest) + shared
        entry.set("offset", str(offset))
    _thin(tree.getroot())
    tree.write(folder / GRAPH, "utf-8", xml_declaration=True)
    (folder / GRAPH_WEIGHTS).write_bytes(rest)


def _thin(element: ElementTree.Element) -> None:
    """Without indentation, and without the names that layers had in torch."""
    for info in element.findall("rt_info[attribute]"):
        element.remove(info)
    for child in element:
        _thin(child)
        child.tail = None
    if len(element):
        element.text = None


def difference(
    mine: list[NDArray[np.float32]], theirs: list[NDArray[np.float32]], role: str
) -> Difference:
    """How far two answers to one canvas lie apart: the outputs as an engine returns them."""
    if role == "classifier":
        apart = [np.abs(a - b).max() for a, b in zip(mine, theirs, strict=True)]
        # Scores and density; the map is a picture, held to the detector's tolerance.
        return Difference(score=float(apart[1]), probability=float(max(apart[0], apart[2])))
    one, other = decode(mine[0]), decode(theirs[0])
    return _worse(_unmatched(one, other), _unmatched(other, one))


def _unmatched(one: Detections, other: Detections) -> Difference:
    """The worst of one side's boxes, each beside the other side's nearest."""
    worst = Difference()
    for box, kind, score in zip(one.boxes, one.classes, one.scores, strict=True):
        if score >= COMPARED_SCORE:
            same = other.classes == kind
            matches = [
                (Box(*mate).iou(Box(*box)), abs(float(value - score)))
                for mate, value in zip(other.boxes[same], other.scores[same], strict=True)
            ]
            worst = _worse(worst, Difference(*max(matches, default=(0.0, 1.0))))
    return worst


def _worse(one: Difference, other: Difference) -> Difference:
    return Difference(
        min(one.least_iou, other.least_iou),
        max(one.score, other.score),
        max(one.probability, other.probability),
    )
