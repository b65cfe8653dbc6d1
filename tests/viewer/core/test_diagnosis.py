from dataclasses import replace
from pathlib import Path

import pytest

from ml.findings import Analysis
from ml.mammo.codes import BreastDensity, Laterality
from ml.mammo.mammogram import Alarm
from tests.factories.analyses import (
    MODELS,
    make_analysis,
    make_image_analysis,
    make_study,
)
from viewer.core.cards import Content, Verdict
from viewer.core.diagnosis import describe, is_same_diagnosis, shown_threshold
from viewer.core.state import (
    AnalysisPhase,
    FindingKey,
    Impression,
    Reading,
    Refusal,
    SessionState,
)

TIMES = "\N{MULTIPLICATION SIGN}"
DONE = SessionState(
    study=make_study(), analysis=make_analysis(), analysis_phase=AnalysisPhase.DONE
)


def words(state: SessionState) -> str:
    return repr(describe(state))


def test_a_breast_takes_the_greatest_score_of_its_images():
    right, left = describe(DONE).breasts
    assert (right.bar, right.tick, right.verdict) == (0.63, 0.42, Verdict.ABOVE)
    assert (left.bar, left.verdict) == (0.42, Verdict.AT)
    assert [(f.label, f.value) for f in right.figures] == [
        ("lesion, score", "0.63"),
        ("malignancy, score", "0.22"),
    ]


def test_a_score_is_never_called_a_probability():
    assert "probability" not in words(DONE)
    right = describe(DONE).breasts[0]
    assert all("not validated" in figure.reason for figure in right.figures)
    assert describe(DONE).footer[0].startswith("Scanned film")


def test_a_validated_image_gives_probabilities():
    right = describe(replace(DONE, analysis=make_analysis(validated=True))).breasts[0]
    assert right.figures[0].label == "lesion, probability at 6 in 1,000"
    assert right.figures[0].value == "0.3 %", "0.315 where half of the images had a lesion"
    assert right.figures[0].reason == ""
    assert right.images[0].title == "RCC, probabilities"
    assert right.images[0].text == "lesion 0.3 % · malignancy 0.2 %"


def test_the_prevalence_in_the_settings_moves_what_is_shown():
    state = replace(DONE, analysis=make_analysis(validated=True))
    there = replace(state, per_thousand=500.0)
    assert not is_same_diagnosis(state, there)
    right = describe(there).breasts[0]
    assert right.figures[0].label == "lesion, probability at 500 in 1,000"
    assert right.figures[0].value == "31.5 %"


def test_without_the_models_own_prevalence_there_are_scores_and_a_reason():
    models = {role: replace(use, prevalences={}) for role, use in MODELS.items()}
    analysis = replace(make_analysis(validated=True), models=models)
    right = describe(replace(DONE, analysis=analysis)).breasts[0]
    assert right.figures[0].label == "lesion, score"
    assert "prevalence" in right.figures[0].reason


def test_one_image_without_a_probability_leaves_the_breast_with_scores():
    images = (
        make_image_analysis("RCC", lesion=0.5, validated=True),
        make_image_analysis("RMLO", lesion=0.4, validated=False),
    )
    card = describe(replace(DONE, analysis=Analysis(MODELS, images))).breasts[0]
    assert card.figures[0].label == "lesion, score"
    assert card.figures[0].reason


def test_findings_under_the_threshold_are_counted_and_not_listed():
    right = describe(DONE).breasts[0]
    assert [row.title for row in right.findings] == ["Mass · RCC"]
    assert right.hidden == 1
    low = describe(replace(DONE, threshold=0.1)).breasts[0]
    assert [row.title for row in low.findings] == ["Mass · RCC", "Mass · RMLO"]
    assert low.hidden == 0


def test_the_threshold_is_the_models_until_the_reader_says():
    assert shown_threshold(DONE) == 0.42
    assert shown_threshold(replace(DONE, threshold=0.9)) == 0.9


def test_a_finding_tells_its_size_in_mm_only_where_there_is_a_scale():
    assert describe(DONE).breasts[0].findings[0].subtitle == f"score 0.71 · 170 {TIMES} 180 px"
    scaled = replace(DONE, study=make_study(spacing=True))
    assert describe(scaled).breasts[0].findings[0].subtitle == f"score 0.71 · 17 {TIMES} 18 mm"


def test_the_selected_finding_is_emphasized():
    state = replace(DONE, selected=FindingKey("1.2.3.LMLO", 0))
    right, left = describe(state).breasts
    assert not right.findings[0].selected
    assert left.findings[0].selected


def test_what_was_refused_is_named_with_its_reason_and_does_not_count():
    state = replace(DONE, analysis=make_analysis(refused="A spot view."))
    shown = describe(state)
    assert [(row.title, row.text) for row in shown.refused] == [("RMLO", "A spot view.")]
    assert [row.title for row in shown.breasts[0].images] == ["RCC, scores"]


def test_a_breast_whose_images_were_all_refused_is_not_assessed():
    images = (make_image_analysis("RCC", refused="An implant."),)
    card = describe(replace(DONE, analysis=Analysis(MODELS, images))).breasts[0]
    assert (card.verdict, card.bar, card.figures) == (Verdict.NONE, None, ())
    assert describe(replace(DONE, analysis=Analysis(MODELS, images))).density is None


def test_density_is_the_mean_over_the_images():
    density = describe(DONE).density
    assert density is not None
    assert density.grade is BreastDensity.B
    assert dict(density.shares)[BreastDensity.B] == pytest.approx(0.57)


def test_the_footer_names_models_operating_point_engine_time_and_purpose():
    text = "\n".join(describe(DONE).footer)
    for part in ("detector 1.2.0", "classifier 1.2.0", "sensitivity 0.90", "0.42", "bf16"):
        assert part in text
    assert "0.32 s" in text
    assert "Research use only" in text


def test_alarms_of_images_that_share_one_are_named_together():
    study = make_study(
        alarms=(Alarm("Different Patient IDs: {count}.", (("count", "4"),)),),
        image_alarms=(Alarm("Two sources disagree."),),
    )
    assert describe(replace(DONE, study=study)).alarms == (
        "Different Patient IDs: 4.",
        "RCC, LCC, RMLO, LMLO: Two sources disagree.",
    )


def test_a_blind_panel_says_nothing_of_the_machine():
    blind = replace(DONE, blind_first_read=True, selected=FindingKey("1.2.3.RCC", 0))
    shown = describe(blind)
    assert shown.content is Content.BLIND
    assert (shown.breasts, shown.density, shown.refused, shown.footer) == ((), None, (), ())
    assert "0.63" not in words(blind)
    assert [row.laterality for row in shown.impressions] == [Laterality.RIGHT, Laterality.LEFT]


def test_a_blind_panel_does_not_tell_whether_the_analysis_failed():
    failed = SessionState(
        study=make_study(),
        blind_first_read=True,
        analysis_phase=AnalysisPhase.FAILED,
        analysis_error="RCC looks odd.",
    )
    assert "odd" not in words(failed)


@pytest.mark.parametrize(
    ("state", "content", "text"),
    [
        (SessionState(), Content.NO_STUDY, "No study"),
        (SessionState(study=make_study()), Content.NOT_ANALYZED, "not analyzed"),
        (
            SessionState(study=make_study(), analysis_phase=AnalysisPhase.WAITING),
            Content.WAITING,
            "Analyzing",
        ),
        (
            SessionState(
                study=make_study(),
                analysis_phase=AnalysisPhase.FAILED,
                analysis_error="No memory.",
            ),
            Content.FAILED,
            "No memory.",
        ),
    ],
)
def test_without_results_the_panel_says_why(state: SessionState, content: Content, text: str):
    shown = describe(state)
    assert shown.content is content
    assert text in shown.message


def test_the_readers_last_word_stands_beside_her_first():
    right = Laterality.RIGHT
    reading = Reading({right: Impression.NORMAL}, {right: Impression.RECALL}, "2026", False)
    row = describe(replace(DONE, reading=reading)).impressions[0]
    assert (row.current, row.before) == (Impression.RECALL, Impression.NORMAL)


def test_a_note_tells_first_impressions_the_reveal_and_whether_it_was_blind():
    before = {Laterality.RIGHT: Impression.RECALL, Laterality.LEFT: Impression.NORMAL}
    kept = Reading(before, revealed_at="2026-01-01T10:00:00Z", seen_before=True)
    note = describe(replace(DONE, blind_first_read=True, reading=kept)).reading_note
    assert "right recall, left normal" in note
    assert "2026-01-01T10:00:00Z" in note
    assert "could be seen" in note
    assert describe(DONE).reading_note == ""
    seen = replace(DONE, reading=Reading(seen_before=True))
    assert describe(seen).reading_note == "", "whoever never reads blind knows"
    revealed = replace(DONE, blind_first_read=True, reading=replace(kept, before={}))
    assert "could be seen" in describe(revealed).reading_note


def test_a_drag_on_an_image_is_no_other_diagnosis():
    assert is_same_diagnosis(DONE, replace(DONE, active=2, linked=False))


@pytest.mark.parametrize(
    "change",
    [
        {"study": make_study()},
        {"analysis": None},
        {"analysis_phase": AnalysisPhase.FAILED},
        {"analysis_error": "No memory."},
        {"blind_first_read": True},
        {"reading": Reading(revealed_at="now")},
        {"threshold": 0.3},
        {"selected": FindingKey("1.2.3.RCC", 0)},
        {"refusals": (Refusal(Path("a"), "b"),)},
    ],
)
def test_whatever_changes_the_text_is_another_diagnosis(change: dict[str, object]):
    assert not is_same_diagnosis(DONE, replace(DONE, **change))
