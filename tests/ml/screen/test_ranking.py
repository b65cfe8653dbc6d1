from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from ml.distribution import QUANTILES, Distribution, Part
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.screen.ranking import (
    Group,
    StudyRank,
    Tally,
    blind,
    rank_study,
    ranked,
    sentence_of,
    state_of,
    summary_of,
)
from ml.screen.rows import Answer, Entry, Heading, ScreenedImage, ScreenedStudy, Standing, State
from tests.factories.analyses import FOUR_VIEWS, make_image_analysis

if TYPE_CHECKING:
    from ml.findings import ImageAnalysis

THRESHOLD = 0.42
SPOT = "A spot view: the models are not made for it."


def screened(
    title: str, analysis: ImageAnalysis | None = None, state: State | None = State.DONE
) -> ScreenedImage:
    """An image with the answer that its analysis is, or without any where `state` is None."""
    heading = Heading(
        Entry(f"/in/{title}.dcm", 10, 0),
        Standing.IMAGE,
        sop_instance_uid=f"1.2.3.{title}",
        study_instance_uid="1.2.3",
        study_key="real",
        patient_id="P_00173",
        study_date="20161004",
        rows=3000,
        columns=2400,
    )
    return ScreenedImage(heading, None if state is None else Answer(state, analysis))


def seen(title: str, *, lesion: float = 0.2, **changes: Any) -> ScreenedImage:
    found = make_image_analysis(title, lesion=lesion)
    return screened(title, replace(found, **changes))


def refused(title: str, **changes: Any) -> ScreenedImage:
    found = make_image_analysis(title, refused=SPOT)
    return screened(title, replace(found, **changes), State.REFUSED)


def failed(title: str, sentence: str) -> ScreenedImage:
    return replace(screened(title), answer=Answer(State.FAILED, None, sentence))


def study(*images: ScreenedImage, key: str = "k") -> ScreenedStudy:
    return ScreenedStudy(key, images)


def whole(**lesions: float) -> ScreenedStudy:
    return study(*(seen(title, lesion=lesions.get(title, 0.1)) for title in FOUR_VIEWS))


def without(*titles: str) -> list[ScreenedImage]:
    return [seen(title) for title in FOUR_VIEWS if title not in titles]


def make_rank(
    key: str,
    *,
    group: Group = Group.RANKED,
    probability: float | None = None,
    score: float | None = None,
    date: str = "",
) -> StudyRank:
    rank = rank_study(study(key=key), None)
    return replace(
        rank, group=group, reasons=(), probability=probability, score=score, date=date
    )


def keys(ranks: tuple[StudyRank, ...]) -> str:
    return "".join(rank.key for rank in ranks)


def test_a_whole_study_is_ranked_by_the_greatest_of_its_images() -> None:
    rank = rank_study(whole(RCC=0.3, RMLO=0.63, LMLO=0.42), THRESHOLD)
    assert (rank.group, rank.reasons) == (Group.RANKED, ())
    assert (rank.score, rank.probability, rank.above) == (0.63, 0.315, True)
    right, left = rank.breasts
    assert (right.laterality, right.score, right.probability) == (Laterality.RIGHT, 0.63, 0.315)
    assert right.malignancy_probability == 0.05
    # At the operating point is positive.
    assert (left.laterality, left.score, left.above) == (Laterality.LEFT, 0.42, True)
    assert (rank.patient_id, rank.study_uid, rank.date) == ("P_00173", "1.2.3", "20161004")
    assert (rank.images, rank.refused, rank.failed, rank.waiting) == (4, 0, 0, 0)


def test_below_the_operating_point_and_without_one() -> None:
    rank = rank_study(whole(RCC=0.4199), THRESHOLD)
    assert (rank.above, [breast.above for breast in rank.breasts]) == (False, [False, False])
    rank = rank_study(whole(RCC=0.9), None)
    assert (rank.above, [breast.above for breast in rank.breasts]) == (None, [None, None])


def test_images_are_named_and_hung_in_the_order_of_reading() -> None:
    images = [seen(title) for title in ("LMLO", "RMLO", "LCC", "RML", "RCC")]
    rank = rank_study(study(*images), THRESHOLD)
    assert [each.title for each in rank.places] == [*FOUR_VIEWS, "RML"]
    assert rank.places[0].place == "/in/RCC.dcm"
    # A further view does no harm.
    assert rank.group is Group.RANKED


@pytest.mark.parametrize("title", FOUR_VIEWS)
def test_a_missing_standard_view_is_a_reason(title: str) -> None:
    rank = rank_study(study(*without(title)), THRESHOLD)
    assert (rank.group, rank.reasons) == (Group.ATTENTION, (f"{title} is missing.",))


def test_another_view_is_no_standard_view() -> None:
    rank = rank_study(study(*without("LMLO"), seen("LML")), THRESHOLD)
    assert rank.reasons == ("LMLO is missing.",)


def test_a_refused_view_is_named_as_refused_and_not_as_missing() -> None:
    rank = rank_study(study(*without("RMLO"), refused("RMLO")), THRESHOLD)
    assert (rank.group, rank.reasons) == (Group.ATTENTION, (f"RMLO: {SPOT}",))
    assert (rank.images, rank.refused) == (4, 1)
    # The other view of the breast was looked at.
    assert rank.breasts[0].score == 0.2


def test_a_refusal_counts_whichever_of_state_and_analysis_says_it() -> None:
    by_analysis = screened("RCC", make_image_analysis("RCC", refused=SPOT), State.DONE)
    by_state = replace(screened("RCC"), answer=Answer(State.REFUSED, None, "Too large."))
    assert [state_of(image) for image in (by_analysis, by_state)] == [State.REFUSED] * 2
    assert (sentence_of(by_analysis), sentence_of(by_state)) == (SPOT, "Too large.")
    assert rank_study(study(by_analysis), THRESHOLD).score is None


def test_a_failed_image_may_be_the_view_that_is_missed() -> None:
    rank = rank_study(study(*without("LCC"), failed("x7", "The file is cut short.")), THRESHOLD)
    assert rank.group is Group.ATTENTION
    assert rank.reasons == (
        "x7.dcm: The file is cut short.",
        "LCC is missing, or is an image whose side or view is not known.",
    )
    assert rank.failed == 1


def test_what_failed_without_a_word_gets_one() -> None:
    image = screened("x7", None, State.DONE)
    assert (state_of(image), sentence_of(image)) == (
        State.FAILED,
        "The image could not be analyzed.",
    )


def test_before_all_are_analyzed_none_is_called_missing() -> None:
    rank = rank_study(study(*without("RCC", "LCC"), screened("a", state=None)), THRESHOLD)
    assert (rank.group, rank.reasons) == (Group.ATTENTION, ("a.dcm: Not yet analyzed.",))
    assert rank.waiting == 1


def test_images_that_share_a_problem_are_named_together() -> None:
    images = [
        seen(title, not_validated="Film.", lesion_probability=None) for title in FOUR_VIEWS
    ]
    rank = rank_study(study(*images), THRESHOLD)
    assert rank.reasons == ("RCC, LCC, RMLO, LMLO: Film.",)
    assert (rank.group, rank.score, rank.probability) == (Group.ATTENTION, 0.2, None)


@pytest.mark.parametrize("unknown", ["laterality", "view"])
def test_an_unknown_side_or_view_is_a_reason_and_its_score_counts(unknown: str) -> None:
    changes: dict[str, Any] = {unknown: None, "lesion_score": 0.99}
    rank = rank_study(study(*without(), seen("RCC", **changes)), THRESHOLD)
    assert rank.reasons == ("RCC.dcm: The side or the view of the image is not known.",)
    assert (rank.group, rank.score, rank.above) == (Group.ATTENTION, 0.99, True)
    assert rank.breasts[0].score == (0.2 if unknown == "laterality" else 0.99)


def test_what_the_models_say_of_an_unknown_side_is_not_said_twice() -> None:
    same = "The side or the view of the image is not known."
    rank = rank_study(study(*without(), seen("RML", view=None, not_validated=same)), THRESHOLD)
    assert rank.reasons == (f"RML.dcm: {same}",)


def test_an_image_of_both_breasts_stands_for_neither() -> None:
    rank = rank_study(study(*without("RCC"), seen("RCC", laterality=Laterality.BOTH)), None)
    assert rank.reasons[0] == "RCC.dcm: The image shows both breasts."
    assert rank.reasons[1].startswith("RCC is missing, or is an image")


@pytest.mark.parametrize("score", [None, float("nan")])
def test_a_score_that_is_none_is_a_reason(score: float | None) -> None:
    changes: dict[str, Any] = {"lesion_score": score, "lesion_probability": score}
    rank = rank_study(study(*without("RCC"), seen("RCC", **changes)), THRESHOLD)
    assert rank.reasons == ("RCC: The models gave no score.",)
    assert (rank.group, rank.score, rank.probability) == (Group.ATTENTION, 0.2, 0.1)


def test_a_study_without_an_image_misses_all_and_a_breast_unseen_is_not_assessed() -> None:
    rank = rank_study(study(), THRESHOLD)
    assert rank.reasons == tuple(f"{title} is missing." for title in FOUR_VIEWS)
    assert (rank.score, rank.above, rank.density, rank.breasts) == (None, None, None, ())
    breast = rank_study(study(refused("RCC")), THRESHOLD).breasts[0]
    assert (breast.score, breast.probability, breast.above) == (None, None, None)


def test_the_density_is_the_greatest_mean_share() -> None:
    grades = tuple(BreastDensity)
    # Three say A, narrowly; one says C, clearly: together it is C.
    narrow, clear = ((0.4, 0.0, 0.35, 0.25), (0.0, 0.0, 1.0, 0.0))
    images = [
        seen(title, density=tuple(zip(grades, shares, strict=True)))
        for title, shares in zip(FOUR_VIEWS, (narrow, narrow, narrow, clear), strict=True)
    ]
    assert rank_study(study(*images), THRESHOLD).density is BreastDensity.C


def test_attention_comes_first_then_falling_probability() -> None:
    ranks = (
        make_rank("a", probability=0.1),
        make_rank("b", probability=0.9),
        make_rank("c", group=Group.ATTENTION, probability=0.01),
        make_rank("d", group=Group.ATTENTION, score=0.5),
        make_rank("e", group=Group.ATTENTION),
        make_rank("f", probability=0.5, score=0.99),
    )
    assert keys(ranked(ranks)) == "edcbfa"


def test_without_probabilities_the_score_decides() -> None:
    ranks = [make_rank(key, score=score) for key, score in zip("abc", (0.2, 0.9, 0.0))]  # noqa: B905
    assert keys(ranked(ranks)) == "bac"


def test_what_is_equal_stands_by_its_key_whatever_came_first() -> None:
    ranks = [make_rank(key, probability=0.25) for key in "abcdefgh"]
    Random(3).shuffle(ranks)
    assert keys(tuple(ranks)) != "abcdefgh"
    assert keys(ranked(ranks)) == "abcdefgh"


def test_the_blind_order_says_nothing_of_the_models() -> None:
    ranks = (
        make_rank("d", date="20240102", group=Group.ATTENTION),
        make_rank("c", date="20240101", group=Group.ATTENTION),
        make_rank("b", date="20240102", probability=0.01),
        make_rank("a", date="20240102", probability=0.99),
    )
    assert keys(blind(ranks)) == "cabd"
    changed = [replace(rank, probability=0.5, group=Group.RANKED) for rank in ranks]
    assert keys(blind(changed)) == "cabd"


def test_the_summary_counts_what_was_met() -> None:
    tally = Tally(THRESHOLD)
    ranks = [
        tally.add(each)
        for each in (
            whole(RCC=0.6),
            study(*without("RMLO"), refused("RMLO")),
            study(failed("x", "Cut short."), screened("y", state=None)),
        )
    ]
    assert [rank.group for rank in ranks] == ["ranked", "attention", "attention"]
    summary = summary_of(tally, {"copy": 3})
    assert (summary.studies, summary.attention, summary.above) == (3, 2, 1)
    assert (summary.images, summary.analyzed) == (10, 7)
    assert (summary.refused, summary.failed, summary.waiting) == (1, 1, 1)
    assert (summary.skipped, summary.threshold) == ({"copy": 3}, THRESHOLD)
    assert sum(summary.bins) == 7


def test_the_quantiles_stand_beside_the_cards() -> None:
    tally = Tally(THRESHOLD)
    for number in range(101):
        tally.add(study(seen("RCC", lesion=number / 100)))
    known = tuple(number / 50 for number in range(QUANTILES))
    card = Distribution(Part(known, 90, 40), Part((), 0, 0), "phantoms")
    summary = summary_of(tally, {}, card)
    deciles = pytest.approx([number / 10 for number in range(11)])
    assert list(summary.quantiles) == deciles
    assert summary.card_quantiles is not None
    assert list(summary.card_quantiles[0]) == deciles
    assert summary.card_quantiles[1] == ()
    # The greatest score belongs to the last part.
    assert (len(summary.bins), sum(summary.bins), summary.bins[-1]) == (20, 101, 6)


def test_nothing_at_all_has_a_summary() -> None:
    summary = summary_of(Tally(None), {})
    assert (summary.studies, summary.images, summary.quantiles) == (0, 0, ())
    assert (sum(summary.bins), summary.card_quantiles) == (0, None)
    assert ranked(()) == blind(()) == ()


def test_of_a_million_images_only_their_scores_are_kept() -> None:
    tally = Tally(THRESHOLD)
    for _ in range(3):
        tally.add(whole())
    assert tally.scores.itemsize == 4
    assert len(tally.scores) == 12
    assert not [name for name in vars(tally) if name not in ("threshold", "counts", "scores")]


def test_a_specimen_is_no_breast_of_the_patient_but_a_known_view() -> None:
    rank = rank_study(study(*without(), seen("RCC", view=ViewPosition.SPECIMEN)), THRESHOLD)
    assert rank.places[-1].title == "RSPECIMEN"
    assert rank.group is Group.RANKED
