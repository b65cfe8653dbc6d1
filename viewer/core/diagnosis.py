"""What the diagnosis panel shows: from a `SessionState` to texts, bars and rows.

The machine never names an assessment category. A figure is called a probability only where the
model is validated for that kind of image; elsewhere it is a score, and the reason is given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.mammo.codes import BreastDensity, Laterality
from ml.texts import RESEARCH_USE_ONLY, left_to_right, mark, translate
from viewer.core.cards import (
    BreastCard,
    Content,
    DensityCard,
    Diagnosis,
    Figure,
    FindingRow,
    ImageRow,
    ImpressionRow,
    Verdict,
)
from viewer.core.decision import outcome_of
from viewer.core.mark_words import finding_name, machine_finding, standing_text
from viewer.core.marks import marks_of
from viewer.core.prevalence import analysis_at, prevalence_text, probability_text
from viewer.core.reading import SIDES, breasts_to_read
from viewer.core.state import BLIND, AnalysisPhase, Impression

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml.findings import Analysis, Finding, ImageAnalysis
    from ml.mammo.geometry import Box
    from ml.mammo.mammogram import Alarm, Mammogram
    from ml.mammo.study import Study
    from viewer.core.marks import Mark
    from viewer.core.state import SessionState

_ANY_SCORE = 0.5
_TIMES = "\N{MULTIPLICATION SIGN}"

_BREASTS = {Laterality.RIGHT: mark("Right breast"), Laterality.LEFT: mark("Left breast")}
_SIDES = {Laterality.RIGHT: mark("right"), Laterality.LEFT: mark("left")}
_WORDS = {Impression.NORMAL: mark("normal"), Impression.RECALL: mark("recall")}


def describe(state: SessionState) -> Diagnosis:
    """Say what the diagnosis panel shows for a state."""
    return replace(
        _described(state),
        files_refused=len(state.refusals),
        reading_note=_reading_note(state) if state.machine_shown else "",
    )


def is_same_diagnosis(old: SessionState, new: SessionState) -> bool:
    """Whether two states differ in nothing that the panel shows: cheap, asked at every drag."""
    return all(getattr(old, name) is getattr(new, name) for name in _SHOWN)


_SHOWN = (
    *("study", "analysis", "analysis_phase", "analysis_error", "blind_first_read"),
    *("reading", "threshold", "per_thousand", "selected", "refusals"),
    *("decisions", "outcomes", "listed"),
)


def _described(state: SessionState) -> Diagnosis:
    study = state.study
    if study is None:
        return Diagnosis(Content.NO_STUDY, message=translate("No study is open."))
    content = _content(state)
    if content is Content.RESULTS and state.analysis is not None:
        return _results(state, study, analysis_at(state.analysis, state.per_thousand))
    return Diagnosis(
        content,
        study_alarms(study),
        _message(content, state),
        impressions=_impressions(state),
        drawn=_drawn_rows(state, ()),
    )


def default_threshold(analysis: Analysis | None) -> float:
    """The detector's operating point: under it no finding is drawn, unless the reader says."""
    if analysis is None or "detector" not in analysis.models:
        return _ANY_SCORE
    return analysis.models["detector"].operating_point.threshold


def shown_threshold(state: SessionState) -> float:
    """The threshold that holds now: the reader's, else the model's operating point."""
    if state.threshold is not None:
        return state.threshold
    return default_threshold(state.analysis)


def image_title(laterality: Laterality | None, view: object, fallback: str) -> str:
    """``"RCC"``, or `fallback` where side and view are unknown."""
    side = "" if laterality in (None, Laterality.BOTH) else laterality.value
    name = str(getattr(view, "value", "") or "")
    return side + name or fallback


def alarm_sentence(alarm: Alarm) -> str:
    """An alarm in the reader's language."""
    return translate(alarm.template).format(**dict(alarm.values))


def study_alarms(study: Study) -> tuple[str, ...]:
    """The study's alarms, then its images'; images that share one are named together."""
    images: dict[str, list[str]] = {}
    for image in study.images:
        for alarm in image.alarms:
            images.setdefault(alarm_sentence(alarm), []).append(_mammogram_title(image))
    own = [alarm_sentence(alarm) for alarm in study.alarms]
    named = [f"{', '.join(dict.fromkeys(titles))}: {text}" for text, titles in images.items()]
    return tuple(dict.fromkeys(own + named))


def _content(state: SessionState) -> Content:
    if not state.machine_shown:
        return Content.BLIND
    if state.analysis is not None:
        return Content.RESULTS
    phases = {
        AnalysisPhase.WAITING: Content.WAITING,
        AnalysisPhase.FAILED: Content.FAILED,
    }
    return phases.get(state.analysis_phase, Content.NOT_ANALYZED)


def _message(content: Content, state: SessionState) -> str:
    if content is Content.FAILED:
        failed = translate("The analysis failed.")
        return f"{failed} {state.analysis_error}".strip()
    return {
        Content.BLIND: translate(
            "Blind first read: record your impression of each breast, or reveal."
        ),
        Content.WAITING: translate("Analyzing…"),
    }.get(content, translate("This study was not analyzed."))


def _results(state: SessionState, study: Study, analysis: Analysis) -> Diagnosis:
    breasts = tuple(
        _breast(side, state, analysis)
        for side in SIDES
        if any(image.laterality is side for image in analysis.images)
    )
    return Diagnosis(
        Content.RESULTS,
        study_alarms(study),
        breasts=breasts,
        density=_density(analysis.images),
        refused=tuple(_refused(analysis.images)),
        impressions=_impressions(state),
        footer=_footer(analysis),
        threshold=shown_threshold(state),
        drawn=_drawn_rows(state, breasts),
    )


def _breast(side: Laterality, state: SessionState, analysis: Analysis) -> BreastCard:
    images = [i for i in analysis.images if i.laterality is side and i.refused is None]
    classifier = analysis.models.get("classifier")
    tick = classifier.operating_point.threshold if classifier else None
    lesion = _greatest(image.lesion_score for image in images)
    # Also on an image that the models refused: the reader may draw there.
    rows, hidden = _findings([i for i in analysis.images if i.laterality is side], state)
    return BreastCard(
        laterality=side,
        title=translate(_BREASTS[side]),
        verdict=_verdict(lesion, tick),
        bar=lesion,
        tick=tick,
        figures=_breast_figures(images, state.per_thousand),
        findings=rows,
        hidden=hidden,
        images=tuple(_image_row(image) for image in images),
    )


def _verdict(score: float | None, threshold: float | None) -> Verdict:
    if score is None or threshold is None:
        return Verdict.NONE
    # "At" is what the two decimals on the screen cannot tell apart.
    if round(score, 2) == round(threshold, 2):
        return Verdict.AT
    return Verdict.ABOVE if score > threshold else Verdict.BELOW


def _breast_figures(images: Sequence[ImageAnalysis], per_thousand: float) -> tuple[Figure, ...]:
    reason = next((image.not_validated for image in images if image.not_validated), "")
    lesion = _figure(
        translate("lesion"),
        _greatest(image.lesion_score for image in images),
        _greatest_of_all(image.lesion_probability for image in images),
        reason,
        per_thousand,
    )
    malignancy = _figure(
        translate("malignancy"),
        _greatest(image.malignancy_score for image in images),
        _greatest_of_all(image.malignancy_probability for image in images),
        reason,
        per_thousand,
    )
    return tuple(figure for figure in (lesion, malignancy) if figure)


def _figure(
    name: str, score: float | None, probability: float | None, reason: str, per_thousand: float
) -> Figure | None:
    if probability is not None:
        label = translate("{figure}, probability at {prevalence}").format(
            figure=name, prevalence=prevalence_text(per_thousand)
        )
        return Figure(label, probability_text(probability))
    if score is None:
        return None
    label = translate("{figure}, score").format(figure=name)
    return Figure(label, _two(score), reason)


def _findings(
    images: Sequence[ImageAnalysis], state: SessionState
) -> tuple[tuple[FindingRow, ...], int]:
    threshold = shown_threshold(state)
    titles = {image.sop_instance_uid: _analysis_title(image) for image in images}
    marks = [found for uid in titles for found in marks_of(state, uid)]
    shown = sorted(
        (found for found in marks if found.is_shown(threshold)),
        key=lambda found: (found.said is None, -found.score),
    )
    rows = tuple(
        _finding_row(found, titles[found.key.sop_instance_uid], state) for found in shown
    )
    return rows, len(marks) - len(shown)


def _drawn_rows(state: SessionState, breasts: Sequence[BreastCard]) -> tuple[FindingRow, ...]:
    """What the reader drew and no breast's card shows."""
    there = {row.key for card in breasts for row in card.findings}
    images = state.study.images if state.study else ()
    return tuple(
        _finding_row(found, _mammogram_title(image), state)
        for image in images
        for found in marks_of(state, image.sop_instance_uid)
        if found.said is None and found.key not in there
    )


def _finding_row(found: Mark, view: str, state: SessionState) -> FindingRow:
    title = f"{finding_name(found.finding_type)} · {view}"
    said = machine_finding(found, state)
    parts = [_finding_figure(said)] if said else []
    parts.append(_size(found.box, _mammogram_of(state, found.key.sop_instance_uid)))
    if found.frame is not None:
        parts.append(translate("frame {number}").format(number=found.frame))
    return FindingRow(
        found.key,
        title,
        " · ".join(parts),
        state.selected == found.key,
        found.standing,
        standing_text(found),
    )


def _finding_figure(finding: Finding) -> str:
    if finding.probability is not None:
        text = probability_text(finding.probability)
        return translate("probability {value}").format(value=text)
    return translate("score {value}").format(value=_two(finding.score))


def _size(box: Box, image: Mammogram | None) -> str:
    height, width = box.size
    if image is None or image.spacing is None:
        return f"{width:.0f} {_TIMES} {height:.0f} px"
    spacing = image.spacing
    size = f"{width * spacing.column_mm:.0f} {_TIMES} {height * spacing.row_mm:.0f} mm"
    return left_to_right(size)


def _image_row(image: ImageAnalysis) -> ImageRow:
    figures = (
        (translate("lesion"), image.lesion_score, image.lesion_probability),
        (translate("malignancy"), image.malignancy_score, image.malignancy_probability),
    )
    calibrated = all(each[2] is not None for each in figures)
    texts = [
        f"{name} {probability_text(probability)}"
        if calibrated and probability is not None
        else f"{name} {_two(score)}"
        for name, score, probability in figures
        if score is not None
    ]
    kind = translate("{view}, probabilities") if calibrated else translate("{view}, scores")
    title = kind.format(view=_analysis_title(image))
    return ImageRow(title, " · ".join(texts), image.not_validated)


def _refused(images: Iterable[ImageAnalysis]) -> Iterable[ImageRow]:
    for image in images:
        if image.refused is not None:
            yield ImageRow(_analysis_title(image), image.refused)


def _density(images: Sequence[ImageAnalysis]) -> DensityCard | None:
    seen = [dict(image.density) for image in images if image.density]
    if not seen:
        return None
    shares = tuple(
        (grade, sum(each.get(grade, 0.0) for each in seen) / len(seen))
        for grade in BreastDensity
    )
    return DensityCard(max(shares, key=lambda share: share[1])[0], shares)


def _impressions(state: SessionState) -> tuple[ImpressionRow, ...]:
    reading = state.reading
    return tuple(
        ImpressionRow(
            side,
            translate(_BREASTS[side]),
            reading.after.get(side, reading.before.get(side)),
            reading.before.get(side),
            outcome_of(state.outcomes, side),
        )
        for side in breasts_to_read(state.study)
    )


def _reading_note(state: SessionState) -> str:
    reading = state.reading
    notes: list[str] = []
    said = [
        f"{translate(_SIDES[side])} {translate(_WORDS[reading.before[side]])}"
        for side in SIDES
        if side in reading.before
    ]
    if said:
        text = translate("Before the reveal: {impressions}.")
        notes.append(text.format(impressions=", ".join(said)))
    if reading.revealed_at:
        notes.append(translate("Revealed {time}.").format(time=reading.revealed_at))
    # Who never reads blind is not told of it at every study.
    blind = state.blind_first_read or state.listed == BLIND
    if reading.seen_before and (blind or reading.before):
        notes.append(translate("The marks could be seen before the first impression."))
    return " ".join(notes)


def _footer(analysis: Analysis) -> tuple[str, ...]:
    reasons = [image.not_validated for image in analysis.images if image.not_validated]
    models = " · ".join(f"{use.name} {use.version}" for use in analysis.models.values())
    points = {
        translate("operating point: {name} ({threshold})").format(
            name=use.operating_point.name, threshold=_two(use.operating_point.threshold)
        ): None
        for use in analysis.models.values()
    }
    engine = " · ".join(part for part in (analysis.engine, _time(analysis)) if part)
    lines = (*dict.fromkeys(reasons), models, *points, engine, translate(RESEARCH_USE_ONLY))
    return tuple(line for line in lines if line)


def _time(analysis: Analysis) -> str:
    if analysis.kept:
        return translate("from an earlier analysis")
    return f"{sum(image.milliseconds for image in analysis.images) / 1000:.2f} s"


def _greatest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _greatest_of_all(values: Iterable[float | None]) -> float | None:
    """The greatest, or None where any is missing: half a probability is none."""
    known = list(values)
    return None if not known or None in known else _greatest(known)


def _two(value: float) -> str:
    return f"{value:.2f}"


def _analysis_title(image: ImageAnalysis) -> str:
    return image_title(image.laterality, image.view, translate("image"))


def _mammogram_title(image: Mammogram) -> str:
    laterality = image.laterality.value if image.laterality else None
    view = image.view.value if image.view else None
    return image_title(laterality, view, image.path.name)


def _mammogram_of(state: SessionState, sop_instance_uid: str) -> Mammogram | None:
    images = state.study.images if state.study else ()
    return next((i for i in images if i.sop_instance_uid == sop_instance_uid), None)
