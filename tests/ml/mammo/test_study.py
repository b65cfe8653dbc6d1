from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.mammo.mammogram import Patient
from ml.mammo.study import group_studies, merge_all, merge_images
from tests.factories.analyses import make_image

if TYPE_CHECKING:
    from ml.mammo.mammogram import Mammogram


def image(title: str, patient: str = "A", study: str = "1.2") -> Mammogram:
    from dataclasses import replace

    return replace(make_image(title), patient=Patient(patient), study_instance_uid=study)


def titles(images: tuple[Mammogram, ...]) -> list[str]:
    return [
        f"{i.laterality.value.value}{i.view.value.value}" if i.laterality and i.view else "?"
        for i in images
    ]


def test_studies_are_kept_apart_by_study_and_by_patient() -> None:
    studies = group_studies([image("RCC"), image("LCC", study="1.3"), image("LMLO", "B")])
    assert [titles(study.images) for study in studies] == [["RCC"], ["LCC"], ["LMLO"]]
    assert not any(study.merged for study in studies)


def test_images_come_in_the_order_of_the_hang() -> None:
    (study,) = group_studies([image(t) for t in ("LMLO", "LML", "LCC", "RMLO", "RCC")])
    assert titles(study.images) == ["RCC", "RMLO", "LCC", "LMLO", "LML"]


def test_a_pattern_hangs_together_what_carries_different_names_and_says_so() -> None:
    films = [
        image("RCC", "Mass_P_00173_RIGHT_CC", "1.1"),
        image("LCC", "Mass_P_00173_LEFT_CC", "1.2"),
        image("RCC", "Mass_P_00820_RIGHT_CC", "1.3"),
    ]
    first, second = group_studies(films, patient_pattern=r"P_\d+")
    assert titles(first.images) == ["RCC", "LCC"]
    assert first.merged
    assert len(first.alarms) == 2
    assert {dict(alarm.values)["count"] for alarm in first.alarms} == {"2"}
    assert (second.merged, second.alarms) == (False, ())


def test_without_a_pattern_nothing_is_merged_in_silence() -> None:
    assert len(group_studies([image("RCC", "a", "1"), image("LCC", "b", "2")])) == 2


def test_a_pattern_that_is_not_in_the_identity_changes_nothing() -> None:
    assert len(group_studies([image("RCC"), image("LCC")], patient_pattern=r"P_\d+")) == 1


def test_images_of_one_study_merge_without_alarm() -> None:
    study = merge_images([image("RCC"), image("LCC")])
    assert (study.merged, study.alarms) == (False, ())
    with pytest.raises(ValueError, match="needs an image"):
        merge_images([])


def made_up(real: Mammogram) -> Mammogram:
    """A synthetic image with all the names of a real one."""
    from dataclasses import replace

    return replace(real, synthetic=True)


@pytest.mark.parametrize("pattern", ["", "A"])
def test_a_synthetic_image_never_shares_a_study_with_a_real_one(pattern: str) -> None:
    real = image("RCC")
    for images in ([real, made_up(real), image("LCC")], [made_up(real), image("LCC"), real]):
        studies = group_studies(images, patient_pattern=pattern)
        assert sorted((s.synthetic, len(s.images)) for s in studies) == [(False, 2), (True, 1)]


def test_what_is_hung_together_is_two_studies_where_some_is_synthetic() -> None:
    real, other = image("RCC"), image("LCC", "B", "1.3")
    hung, apart = merge_all([made_up(real), real, other])
    assert (hung.synthetic, titles(hung.images), hung.merged) == (False, ["RCC", "LCC"], True)
    assert (apart.synthetic, titles(apart.images), apart.merged) == (True, ["RCC"], False)
    assert merge_all([]) == ()
    with pytest.raises(ValueError, match="never share"):
        merge_images([real, made_up(real)])
