import json
from dataclasses import replace

import numpy as np
import pytest

from ml.errors import DataError
from ml.findings import Analysis, Finding, HeatMap, ImageAnalysis, ModelUse, OperatingPoint
from ml.findings_json import analysis_from_json, analysis_to_json
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Affine, Box

POINT = OperatingPoint("sensitivity 0.90", 0.42, "phantoms", sensitivity=0.9)
DETECTOR = ModelUse("detector", "1.2.0", "ab" * 32, POINT, {"detector": 0.25}, "cd" * 32)
SEEN = ImageAnalysis(
    path="rcc.dcm",
    sop_instance_uid="1.2.3",
    study_instance_uid="1.2",
    laterality=Laterality.RIGHT,
    view=ViewPosition.CC,
    rows=3328,
    columns=2560,
    findings=(Finding(Box(1.5, 2, 30, 40), FindingType.MASS, 0.71, 0.5, frame=3),),
    lesion_score=0.63,
    lesion_probability=0.4,
    malignancy_score=0.22,
    density=((BreastDensity.A, 0.1), (BreastDensity.B, 0.9)),
    not_validated="",
    heat_map=HeatMap(
        np.arange(6, dtype=np.float32).reshape(2, 3), Affine(2.0, 0, 1, 0, 3.0, 4)
    ),
    milliseconds=12.5,
)
REFUSED = ImageAnalysis("x.dcm", "1.2.4", "1.2", None, None, 10, 20, refused="A spot view.")
ANALYSIS = Analysis({"detector": DETECTOR}, (SEEN, REFUSED), "OpenVINO bf16")


def through_text(analysis: Analysis, **options: bool) -> Analysis:
    return analysis_from_json(json.loads(json.dumps(analysis_to_json(analysis, **options))))


def test_an_analysis_survives_the_way_through_text():
    again = through_text(ANALYSIS)
    assert (again.models, again.engine) == (ANALYSIS.models, ANALYSIS.engine)
    for name in ("path", "laterality", "view", "rows", "findings", "density", "milliseconds"):
        assert getattr(again.images[0], name) == getattr(SEEN, name)
    assert again.images[0].lesion_probability == 0.4
    assert again.images[0].malignancy_probability is None
    assert again.images[1].refused == "A spot view."
    assert again.images[1].lesion_score is None


def test_score_maps_are_written_only_when_asked_for():
    assert through_text(ANALYSIS).images[0].heat_map is None
    heat_map = through_text(ANALYSIS, heat_maps=True).images[0].heat_map
    assert heat_map is not None
    np.testing.assert_array_equal(heat_map.scores, np.arange(6).reshape(2, 3))
    assert heat_map.to_stored == Affine(2.0, 0, 1, 0, 3.0, 4)


def test_an_image_has_the_fields_that_scripts_rely_on():
    document = json.loads(json.dumps(analysis_to_json(ANALYSIS)))
    image = document["images"][0]
    assert {
        *("path", "study_instance_uid", "sop_instance_uid", "model_hashes", "laterality"),
        *("view", "rows", "columns", "refused", "findings", "lesion_score"),
        *("lesion_probability", "malignancy_probability", "density", "milliseconds"),
    } <= set(image)
    assert image["findings"] == [
        {
            "box": [1.5, 2, 30, 40],
            "frame": 3,
            "finding_type": "mass",
            "score": 0.71,
            "probability": 0.5,
        }
    ]
    assert image["model_hashes"] == {"detector": "ab" * 32}
    assert document["images"][1]["laterality"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("laterality", "Q"),
        ("rows", "many"),
        ("rows", True),
        ("findings", "none"),
        ("findings", [{"box": [1, 2, 3]}]),
        ("density", []),
        (
            "heat_map",
            {"rows": 9, "columns": 9, "scores": "AAAA", "to_stored": [1, 0, 0, 0, 1, 0]},
        ),
        (
            "heat_map",
            {"rows": -9, "columns": 9, "scores": "", "to_stored": [1, 0, 0, 0, 1, 0]},
        ),
    ],
)
def test_a_document_of_another_form_is_refused_with_a_sentence(field: str, value: object):
    document = json.loads(json.dumps(analysis_to_json(ANALYSIS)))
    document["images"][0][field] = value
    with pytest.raises(DataError, match="analyze again"):
        analysis_from_json(document)


@pytest.mark.parametrize("document", [None, [], {}, {"models": []}, {"models": 3, "images": 4}])
def test_anything_else_is_refused_too(document: object):
    with pytest.raises(DataError):
        analysis_from_json(document)


def test_what_was_refused_stays_without_scores():
    changed = replace(REFUSED, not_validated="Film.")
    again = through_text(Analysis({}, (changed,)))
    assert again.images[0].not_validated == "Film."
    assert again.images[0].density == ()
