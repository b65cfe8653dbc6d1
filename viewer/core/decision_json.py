"""Decisions and outcomes as JSON and back: what the library keeps of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from ml.findings import Finding
from ml.mammo.codes import FindingType, Laterality
from ml.mammo.geometry import Box
from viewer.core.decision import (
    AssessmentCategory,
    Circumstances,
    Decision,
    Deed,
    Outcome,
    Proof,
    Speaker,
    Standing,
    Truth,
)

JsonObject = dict[str, object]


def decision_to_json(decision: Decision) -> JsonObject:
    """Write a decision as plain JSON values."""
    said = decision.said
    return {
        "mark": decision.mark,
        "sop_instance_uid": decision.sop_instance_uid,
        "deed": decision.deed.value,
        "standing": decision.standing.value,
        "finding_type": decision.finding_type.value,
        "box": _box_to_json(decision.box),
        "frame": decision.frame,
        "said": None if said is None else _finding_to_json(said),
        "circumstances": asdict(decision.circumstances),
    }


def decision_from_json(document: object) -> Decision:
    """Read what `decision_to_json` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        Where the document is not of that form.
    """
    content = _object(document)
    said = content["said"]
    return Decision(
        mark=str(content["mark"]),
        sop_instance_uid=str(content["sop_instance_uid"]),
        deed=Deed(content["deed"]),
        standing=Standing(content["standing"]),
        finding_type=FindingType(content["finding_type"]),
        box=_box(content["box"]),
        frame=_whole(content["frame"]),
        said=None if said is None else _finding(_object(said)),
        circumstances=_circumstances(_object(content["circumstances"])),
    )


def outcome_to_json(outcome: Outcome) -> JsonObject:
    """Write an outcome as plain JSON values."""
    return {
        "laterality": outcome.laterality.value,
        "recall": outcome.recall,
        "assessment": outcome.assessment.value if outcome.assessment else None,
        "proof": outcome.proof.value if outcome.proof else None,
        "truth": outcome.truth.value if outcome.truth else None,
        "proof_date": outcome.proof_date,
        "follow_up_months": outcome.follow_up_months,
        "lesion_score": outcome.lesion_score,
        "malignancy_score": outcome.malignancy_score,
        "circumstances": asdict(outcome.circumstances),
    }


def outcome_from_json(document: object) -> Outcome:
    """Read what `outcome_to_json` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        Where the document is not of that form.
    """
    content = _object(document)
    recall, assessment = content["recall"], content["assessment"]
    proof, truth = content["proof"], content["truth"]
    return Outcome(
        laterality=Laterality(content["laterality"]),
        circumstances=_circumstances(_object(content["circumstances"])),
        recall=None if recall is None else bool(recall),
        assessment=None if assessment is None else AssessmentCategory(assessment),
        proof=None if proof is None else Proof(proof),
        truth=None if truth is None else Truth(truth),
        proof_date=str(content["proof_date"]),
        follow_up_months=_whole(content["follow_up_months"]),
        lesion_score=_share(content["lesion_score"]),
        malignancy_score=_share(content["malignancy_score"]),
    )


def _circumstances(content: JsonObject) -> Circumstances:
    models = cast("list[object]", content["models"])
    return Circumstances(
        reader=str(content["reader"]),
        at=str(content["at"]),
        marks_shown=bool(content["marks_shown"]),
        marks_seen=bool(content["marks_seen"]),
        synthetic=bool(content["synthetic"]),
        models=tuple(_speaker(_object(each)) for each in models),
        # Words of before there were lists do not say.
        listed=str(content.get("listed", "")),
    )


def _speaker(content: JsonObject) -> Speaker:
    return Speaker(
        str(content["role"]),
        str(content["name"]),
        str(content["version"]),
        str(content["weights_sha256"]),
        str(content["card_sha256"]),
    )


def _finding_to_json(finding: Finding) -> JsonObject:
    return {
        "box": _box_to_json(finding.box),
        "frame": finding.frame,
        "finding_type": finding.finding_type.value,
        "score": finding.score,
        "probability": finding.probability,
    }


def _finding(content: JsonObject) -> Finding:
    return Finding(
        _box(content["box"]),
        FindingType(content["finding_type"]),
        float(cast("float", content["score"])),
        _share(content["probability"]),
        _whole(content["frame"]),
    )


def _box_to_json(box: Box) -> list[float]:
    return [box.row0, box.col0, box.row1, box.col1]


def _box(value: object) -> Box:
    row0, col0, row1, col1 = (float(each) for each in cast("list[float]", value))
    return Box(row0, col0, row1, col1)


def _share(value: object) -> float | None:
    return None if value is None else float(cast("float", value))


def _whole(value: object) -> int | None:
    return None if value is None else int(cast("int", value))


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"a {type(value).__name__} where an object belongs")
    return cast("JsonObject", value)
