"""Model packs small enough to compile in milliseconds, whose answers follow from the pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ml.exchange import ImageFacts, PreparedImage
from ml.findings import OperatingPoint
from ml.mammo.codes import FindingType, ImageKind, Laterality, ViewPosition
from ml.mammo.geometry import Affine
from ml.mammo.prepare import Prepared, PrepareSpec
from ml.registry import (
    CARD,
    FINE_ROLE,
    GRAPH,
    GRAPH_WEIGHTS,
    WEIGHTS,
    Calibration,
    ModelCard,
    card_to_json,
    file_sha256,
)

if TYPE_CHECKING:
    from pathlib import Path

    import openvino

SPEC = PrepareSpec(rows=64, columns=32)
CLASSES = (FindingType.MASS, FindingType.CALCIFICATIONS)
FINE_SPEC = PrepareSpec(rows=128, columns=64, pixel_mm=0.1)
# x, y, width, height in canvas pixels, then a score for each class at full brightness.
ANCHORS = (
    (10.0, 20.0, 8.0, 6.0, 0.9, 0.01),
    (11.0, 20.0, 8.0, 6.0, 0.8, 0.0),
    (20.0, 40.0, 4.0, 4.0, 0.0, 0.6),
)
# On the fine canvas: one cluster, and a mass, which is not what it is asked for.
FINE_ANCHORS = (
    (30.0, 100.0, 6.0, 8.0, 0.0, 0.5),
    (30.0, 20.0, 6.0, 6.0, 0.9, 0.0),
)
DENSITY = (0.1, 0.2, 0.3, 0.4)


def make_packs(
    folder: Path, spec: PrepareSpec = SPEC, *, fine: bool = False
) -> dict[str, Path]:
    """Write a detector and a classifier below `folder`; return their folders by role.

    Parameters
    ----------
    fine
        A detector of calcifications beside them.
    """
    graphs = {"detector": _detector(spec, ANCHORS), "classifier": _classifier(spec)}
    packs = {role: _write(folder / role, role, graph, spec) for role, graph in graphs.items()}
    if fine:
        graph = _detector(FINE_SPEC, FINE_ANCHORS, any_size=True)
        packs[FINE_ROLE] = _write(folder / FINE_ROLE, FINE_ROLE, graph, FINE_SPEC)
    return packs


def rewrite_card(folder: Path, **changes: object) -> None:
    path = folder / CARD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def make_card(role: str, files: dict[str, str], spec: PrepareSpec = SPEC) -> ModelCard:
    fits = ("lesion", "malignancy") if role == "classifier" else ("detector",)
    return ModelCard(
        name=f"tiny-{role}",
        version="0.1.0",
        role=role,
        licence="AGPL-3.0-or-later",
        data="none",
        intended_use="tests",
        operating_points=(OperatingPoint("half", 0.5, "nothing"),),
        prepare=spec,
        files=files,
        classes=() if role == "classifier" else CLASSES,
        calibration={name: Calibration(1.0, 0.0, 0.5) for name in fits},
        validated_kinds=(ImageKind.DIGITAL,),
    )


def make_prepared(
    title: str = "RCC", bright: float = 1.0, *, fine: bool = False, **facts: object
) -> PreparedImage:
    """A canvas of one brightness in [0, 1], ten stored pixels a canvas pixel.

    Parameters
    ----------
    fine
        One of five stored pixels a pixel beside it.
    """
    known = ImageFacts(
        path=f"{title}.dcm",
        sop_instance_uid=f"1.2.3.{title}",
        study_instance_uid="1.2.3",
        rows=640,
        columns=320,
        kind=ImageKind.DIGITAL,
        laterality=Laterality(title[0]),
        view=ViewPosition(title[1:]),
    )
    pixels = np.full((SPEC.rows, SPEC.columns), round(bright * 65535), np.uint16)
    prepared = Prepared(pixels, Affine.scale(10.0), SPEC)
    sharp = np.full((FINE_SPEC.rows, FINE_SPEC.columns), round(bright * 65535), np.uint16)
    return PreparedImage(
        replace(known, **facts),  # type: ignore[arg-type]
        prepared,
        fine=Prepared(sharp, Affine.scale(5.0), FINE_SPEC) if fine else None,
    )


def _write(folder: Path, role: str, graph: openvino.Model, spec: PrepareSpec) -> Path:
    import openvino
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    openvino.save_model(graph, folder / GRAPH, compress_to_fp16=False)
    save_file({}, folder / WEIGHTS)  # all numbers are in the graph's own bytes
    names = (GRAPH, GRAPH_WEIGHTS, WEIGHTS)
    card = make_card(role, {name: file_sha256(folder / name) for name in names}, spec)
    (folder / CARD).write_text(json.dumps(card_to_json(card)))
    return folder


def _detector(
    spec: PrepareSpec, anchors: tuple[tuple[float, ...], ...], *, any_size: bool = False
) -> openvino.Model:
    import openvino
    from openvino import opset13 as op

    rows, columns = (-1, -1) if any_size else (spec.rows, spec.columns)
    canvas = op.parameter([1, 1, rows, columns], np.float32)
    table = np.array(anchors, np.float32).T[None]
    brightest = op.reduce_max(canvas, np.array([1, 2, 3]), keep_dims=False)
    scores = op.multiply(op.constant(table[:, 4:]), brightest)
    return openvino.Model([op.concat([op.constant(table[:, :4]), scores], 1)], [canvas], "tiny")


def _classifier(spec: PrepareSpec) -> openvino.Model:
    import openvino
    from openvino import opset13 as op

    canvas = op.parameter([1, 1, spec.rows, spec.columns], np.float32)
    cells = op.avg_pool(canvas, [8, 8], [0, 0], [0, 0], [8, 8], exclude_pad=True)
    maps = op.concat([cells, op.multiply(cells, op.constant(np.float32(0.5)))], 1)
    scores = op.reduce_max(maps, np.array([2, 3]), keep_dims=False)
    density = op.constant(np.array([DENSITY], np.float32))
    return openvino.Model(
        [scores, maps, op.add(density, op.constant(np.float32(0)))], [canvas], "t"
    )
