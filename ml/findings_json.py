"""An `Analysis` as JSON and back: what `analyze --json` writes and the library keeps.

The form is stable, people's scripts read it: `{"models": [...], "engine": ..., "images":
[...]}` with one object an image; a probability is null where the model is not validated for
that kind of image, a score is null only where the image was refused.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.errors import DataError
from ml.findings import Analysis, Finding, HeatMap, ImageAnalysis, ModelUse, OperatingPoint
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Affine, Box
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

JsonObject = dict[str, object]

# The largest score map that is believed (cells): a prepared image holds no more pixels.
_LARGEST_MAP = 4096 * 4096


def analysis_to_json(analysis: Analysis, *, heat_maps: bool = False) -> JsonObject:
    """Write an analysis as plain JSON values.

    Parameters
    ----------
    heat_maps
        Also write the classifier's score maps, as base64 of float32.
    """
    return {
        "models": [_model_to_json(role, use) for role, use in analysis.models.items()],
        "engine": analysis.engine,
        "images": [
            image_to_json(image, analysis.models, heat_maps=heat_maps)
            for image in analysis.images
        ],
    }


def analysis_from_json(document: object) -> Analysis:
    """Read what `analysis_to_json` wrote.

    Raises
    ------
    DataError
        Where the document is not of that form.
    """
    try:
        content = _mapping(document)
        models = dict(_model_from_json(item) for item in _sequence(content["models"]))
        images = tuple(image_from_json(item) for item in _sequence(content["images"]))
        return Analysis(models, images, _text(content.get("engine", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise _no_analysis(error) from error


def image_to_json(
    image: ImageAnalysis, models: Mapping[str, ModelUse], *, heat_maps: bool = False
) -> JsonObject:
    """Write one image's part; `models` gives the hashes of the weights that spoke."""
    content: JsonObject = {
        "path": image.path,
        "study_instance_uid": image.study_instance_uid,
        "sop_instance_uid": image.sop_instance_uid,
        "model_hashes": {role: use.weights_sha256 for role, use in models.items()},
        "laterality": image.laterality.value if image.laterality else None,
        "view": image.view.value if image.view else None,
        "rows": image.rows,
        "columns": image.columns,
        "refused": image.refused,
        "not_validated": image.not_validated,
        "findings": [_finding_to_json(finding) for finding in image.findings],
        "lesion_score": image.lesion_score,
        "lesion_probability": image.lesion_probability,
        "malignancy_score": image.malignancy_score,
        "malignancy_probability": image.malignancy_probability,
        "density": {grade.value: share for grade, share in image.density},
        "milliseconds": image.milliseconds,
    }
    if heat_maps and image.heat_map is not None:
        content["heat_map"] = _heat_map_to_json(image.heat_map)
    return content


def image_from_json(document: object) -> ImageAnalysis:
    """Read what `image_to_json` wrote.

    Raises
    ------
    DataError
        Where the document is not of that form.
    """
    try:
        return _image(_mapping(document))
    except (KeyError, TypeError, ValueError) as error:
        raise _no_analysis(error) from error


def _no_analysis(error: Exception) -> DataError:
    return DataError(
        mark("This is no analysis in the form that this version writes; analyze again."),
        detail=f"{type(error).__name__}: {error}",
    )


def _image(content: Mapping[str, object]) -> ImageAnalysis:
    laterality, view = content["laterality"], content["view"]
    heat_map = content.get("heat_map")
    return ImageAnalysis(
        path=_text(content["path"]),
        sop_instance_uid=_text(content["sop_instance_uid"]),
        study_instance_uid=_text(content["study_instance_uid"]),
        laterality=None if laterality is None else Laterality(laterality),
        view=None if view is None else ViewPosition(view),
        rows=int(_number(content["rows"])),
        columns=int(_number(content["columns"])),
        refused=None if content["refused"] is None else _text(content["refused"]),
        findings=tuple(_finding_from_json(item) for item in _sequence(content["findings"])),
        lesion_score=_share(content["lesion_score"]),
        lesion_probability=_share(content["lesion_probability"]),
        malignancy_score=_share(content["malignancy_score"]),
        malignancy_probability=_share(content["malignancy_probability"]),
        density=_density(_mapping(content["density"])),
        not_validated=_text(content["not_validated"]),
        heat_map=None if heat_map is None else _heat_map_from_json(_mapping(heat_map)),
        milliseconds=_number(content["milliseconds"]),
    )


def _density(content: Mapping[str, object]) -> tuple[tuple[BreastDensity, float], ...]:
    return tuple(
        (grade, _number(content[grade.value]))
        for grade in BreastDensity
        if grade.value in content
    )


def _finding_to_json(finding: Finding) -> JsonObject:
    box = finding.box
    return {
        "box": [box.row0, box.col0, box.row1, box.col1],
        "frame": finding.frame,
        "finding_type": finding.finding_type.value,
        "score": finding.score,
        "probability": finding.probability,
    }


def _finding_from_json(document: object) -> Finding:
    content = _mapping(document)
    row0, col0, row1, col1 = (_number(value) for value in _sequence(content["box"]))
    frame = content["frame"]
    return Finding(
        box=Box(row0, col0, row1, col1),
        finding_type=FindingType(content["finding_type"]),
        score=_number(content["score"]),
        probability=_share(content["probability"]),
        frame=None if frame is None else int(_number(frame)),
    )


def _model_to_json(role: str, use: ModelUse) -> JsonObject:
    point = use.operating_point
    return {
        "role": role,
        "name": use.name,
        "version": use.version,
        "weights_sha256": use.weights_sha256,
        "card_sha256": use.card_sha256,
        "prevalences": dict(use.prevalences),
        "operating_point": {
            "name": point.name,
            "threshold": point.threshold,
            "chosen_on": point.chosen_on,
            "sensitivity": point.sensitivity,
            "specificity": point.specificity,
            "false_positives_per_image": point.false_positives_per_image,
        },
    }


def _model_from_json(document: object) -> tuple[str, ModelUse]:
    content = _mapping(document)
    point = _mapping(content["operating_point"])
    use = ModelUse(
        name=_text(content["name"]),
        version=_text(content["version"]),
        weights_sha256=_text(content["weights_sha256"]),
        operating_point=OperatingPoint(
            name=_text(point["name"]),
            threshold=_number(point["threshold"]),
            chosen_on=_text(point["chosen_on"]),
            sensitivity=_share(point["sensitivity"]),
            specificity=_share(point["specificity"]),
            false_positives_per_image=_share(point["false_positives_per_image"]),
        ),
        prevalences={
            name: _number(share)
            for name, share in _mapping(content.get("prevalences", {})).items()
        },
        card_sha256=_text(content.get("card_sha256", "")),
    )
    return _text(content["role"]), use


def _heat_map_to_json(heat_map: HeatMap) -> JsonObject:
    scores: NDArray[np.float32] = np.ascontiguousarray(heat_map.scores, dtype="<f4")
    to_stored = heat_map.to_stored
    return {
        "rows": scores.shape[0],
        "columns": scores.shape[1],
        "scores": base64.b64encode(scores.tobytes()).decode("ascii"),
        "to_stored": [
            *(to_stored.rr, to_stored.rc, to_stored.r0),
            *(to_stored.cr, to_stored.cc, to_stored.c0),
        ],
    }


def _heat_map_from_json(content: Mapping[str, object]) -> HeatMap:
    rows, columns = int(_number(content["rows"])), int(_number(content["columns"]))
    if not 0 < rows * columns <= _LARGEST_MAP:
        raise ValueError(f"a score map of {rows} x {columns}")
    raw = base64.b64decode(_text(content["scores"]), validate=True)
    scores = np.frombuffer(raw, dtype="<f4").astype(np.float32).reshape(rows, columns)
    rr, rc, r0, cr, cc, c0 = (_number(value) for value in _sequence(content["to_stored"]))
    return HeatMap(scores, Affine(rr, rc, r0, cr, cc, c0))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"a {type(value).__name__} where an object belongs")
    return cast("Mapping[str, object]", value)


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"a {type(value).__name__} where a list belongs")
    return cast("Sequence[object]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} where a text belongs")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a {type(value).__name__} where a number belongs")
    return float(value)


def _share(value: object) -> float | None:
    return None if value is None else _number(value)
