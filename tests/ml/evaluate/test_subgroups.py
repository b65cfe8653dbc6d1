from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.evaluate.subgroups import classification_subgroups, detection_subgroups
from ml.findings import OperatingPoint
from ml.mammo.codes import FindingType
from tests.factories.truths import make_judged, make_marked

if TYPE_CHECKING:
    from ml.evaluate.outcomes import Marked

POINT = OperatingPoint("half", 0.5, "validation")
NAME = "sensitivity, half"


def lesion(patient: str, score: float, **known: object) -> Marked:
    seen = make_marked(patient, found=(score,))
    return replace(seen, item=replace(seen.item, **known))


def groups_of(outcomes: list[Marked], division: str) -> dict[str, dict[str, object]]:
    found = detection_subgroups(outcomes, [POINT], 0.5, draws=20)
    return {str(each["group"]): each for each in found if each["division"] == division}


def test_sensitivity_by_detectability() -> None:
    seen = [
        lesion("a", 0.9, detectability=(4.0,)),
        lesion("b", 0.2, detectability=(3.0,)),
        lesion("c", 0.1, detectability=(0.5,)),
        lesion("d", 0.9),
    ]
    groups = groups_of(seen, "detectability d'")
    assert list(groups) == ["under 1", "3 to 5", "not known"], "in the order of the edges"
    assert groups["3 to 5"]["figures"][NAME]["value"] == 0.5  # type: ignore[index]
    assert groups["under 1"]["figures"][NAME]["value"] == 0  # type: ignore[index]


def test_size_is_in_millimetres() -> None:
    (size,) = groups_of([lesion("a", 0.9)], "lesion size, mm")
    assert size == "under 5", "8 pixels of 0.5 mm"


@pytest.mark.parametrize(("n", "few"), [(29, True), (30, False)])
def test_a_part_under_thirty_is_flagged(n: int, few: bool) -> None:
    seen = [lesion(f"p{i}", 0.9, finding_types=(FindingType.MASS,)) for i in range(n)]
    group = groups_of(seen, "finding type")["mass"]
    assert (group["n"], group["few"]) == (n, few)


def test_false_marks_by_vendor() -> None:
    normal = make_marked("n", scores=(0.9, 0.7))
    seen = [replace(normal, item=replace(normal.item, vendor="ACME")), lesion("a", 0.9)]
    found = detection_subgroups(seen, [POINT], 0.5, draws=20)
    (part,) = [each for each in found if each["of"] == "lesion-free images"]
    assert part["group"] == "ACME"
    assert part["figures"]["false marks per image, half"]["value"] == 2  # type: ignore[index]


def test_what_nobody_knows_makes_no_table() -> None:
    assert groups_of([lesion("a", 0.9)], "vendor") == {}


def test_images_by_density_and_sick_ones_by_type() -> None:
    judged = [make_judged(f"p{i}", i / 8, lesion=i % 2 == 0, density=i // 4) for i in range(8)]
    boxed = [
        replace(
            each,
            item=replace(
                each.item, boxes=((0, 0, 30, 30),), finding_types=(FindingType.ASYMMETRY,)
            ),
        )
        if each.item.lesion
        else each
        for each in judged
    ]
    found = classification_subgroups(boxed, [POINT], 0.5, draws=20)
    density = {each["group"]: each for each in found if each["division"] == "density"}
    assert {name: each["n"] for name, each in density.items()} == {"A": 4, "B": 4}
    (kind,) = [each for each in found if each["division"] == "finding type"]
    assert (kind["of"], kind["group"], kind["n"]) == (
        "images with a lesion",
        "asymmetry",
        4,
    )
    assert kind["figures"][NAME]["value"] == 0.5  # type: ignore[index]
    assert kind["figures"]["AUC, lesion"]["value"] is None, "all are of one kind"  # type: ignore[index]
