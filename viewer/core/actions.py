"""What can happen to a session: pure functions from one `SessionState` to the next.

How the images are seen is for `viewing`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from viewer.core.hanging import hang
from viewer.core.reading import note_seen
from viewer.core.state import RANKED, AnalysisPhase, Length, Reading, Tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.findings import Analysis
    from ml.mammo.study import Study
    from viewer.core.state import Background, FindingKey, Refusal, SessionState


def begin_opening(state: SessionState, sentence: str) -> SessionState:
    """Say that files are being read."""
    return replace(state, opening=sentence, refusals=())


def open_studies(
    state: SessionState, studies: Sequence[Study], refusals: Sequence[Refusal] = ()
) -> SessionState:
    """Put studies at the head of the work list and open the first of them.

    A study that is in the list already, or whose images hang in another one now, is replaced;
    with none, only the refusals are kept.
    """
    studies_now = {(study.uid, study.synthetic) for study in studies}
    images_now = {image.key for study in studies for image in study.images}
    kept = tuple(
        study
        for study in state.studies
        if (study.uid, study.synthetic) not in studies_now
        and not images_now.issuperset(image.key for image in study.images)
    )
    state = replace(state, studies=(*studies, *kept), refusals=tuple(refusals), opening="")
    return set_study(state, studies[0]) if studies else state


def replace_studies(
    state: SessionState, studies: Sequence[Study], refusals: Sequence[Refusal]
) -> SessionState:
    """Put these studies in the place of all others, and open the first."""
    return open_studies(replace(state, studies=()), studies, refusals)


def open_listed(
    state: SessionState,
    opened: tuple[Sequence[Study], Sequence[Refusal]],
    listed: str,
    earlier: Sequence[Study] = (),
) -> SessionState:
    """Open a study of a screened folder's list.

    Parameters
    ----------
    listed
        How the list is read, as `SessionState.listed` has it.
    earlier
        What was opened of the list before: it makes room on the work list.
    """
    studies, refusals = opened
    if not studies:
        return open_studies(state, studies, refusals)
    kept = tuple(study for study in state.studies if study not in earlier)
    now = open_studies(replace(state, studies=kept), studies, refusals)
    return replace(now, listed=listed)


def show_ranks(state: SessionState) -> SessionState:
    """Say that the list which the open study was taken from shows its scores from now on."""
    return note_seen(replace(state, listed=RANKED)) if state.listed else state


def refuse(state: SessionState, refusal: Refusal) -> SessionState:
    """Add a file whose pixels turned out to be unreadable to those that were not opened."""
    if refusal in state.refusals:
        return state
    return replace(state, refusals=(*state.refusals, refusal))


def set_study(state: SessionState, study: Study | None) -> SessionState:
    """Open a study of the work list, hung anew and unread; None closes the open one."""
    viewports = hang(study) if study else ()
    hung = [index for index, viewport in enumerate(viewports) if viewport.image]
    return replace(
        state,
        study=study,
        viewports=viewports,
        active=hung[0] if hung else 0,
        analysis=None,
        analysis_phase=AnalysisPhase.NONE,
        analysis_error="",
        reading=Reading(),
        selected=None,
        # A lone image needs no empty slots beside it.
        one_up=len(hung) == 1,
        lengths=(),
        decisions=(),
        outcomes=(),
        listed="",
    )


def step_study(state: SessionState, by: int) -> SessionState:
    """Open the next (1) or the previous (-1) study of the work list."""
    if state.study not in state.studies:
        return state
    index = state.studies.index(state.study) + by
    return set_study(state, state.studies[index]) if 0 <= index < len(state.studies) else state


def close_study(state: SessionState) -> SessionState:
    """Take the open study off the work list and show none."""
    rest = tuple(study for study in state.studies if study is not state.study)
    return replace(set_study(state, None), studies=rest)


def start_analysis(state: SessionState, study: Study) -> SessionState:
    """Say that the models look at the study."""
    if state.study is not study:
        return state
    return replace(state, analysis_phase=AnalysisPhase.WAITING, analysis_error="")


def set_analysis(state: SessionState, study: Study, analysis: Analysis) -> SessionState:
    """Show what the models say; of a study that is no longer open nothing is shown."""
    if state.study is not study:
        return state
    done = replace(state, analysis=analysis, analysis_phase=AnalysisPhase.DONE)
    return note_seen(done)


def fail_analysis(state: SessionState, study: Study, sentence: str) -> SessionState:
    """Say why the models said nothing."""
    if state.study is not study:
        return state
    return replace(state, analysis_phase=AnalysisPhase.FAILED, analysis_error=sentence)


def set_lane(state: SessionState, text: str) -> SessionState:
    """Say what the background lane does."""
    return state if text == state.lane else replace(state, lane=text)


def set_background(state: SessionState, background: Background) -> SessionState:
    """Say what the long jobs do."""
    return state if background == state.background else replace(state, background=background)


def set_tool(state: SessionState, tool: Tool) -> SessionState:
    """Choose what a drag with the left button does."""
    return state if tool is state.tool else replace(state, tool=tool)


def toggle_heat_map(state: SessionState) -> SessionState:
    """Show the classifier's score map over the images, or not."""
    return replace(state, heat_map_shown=not state.heat_map_shown)


def set_threshold(state: SessionState, threshold: float | None) -> SessionState:
    """Draw findings from this score on; None: from the model's operating point on."""
    return state if threshold == state.threshold else replace(state, threshold=threshold)


def select_finding(state: SessionState, key: FindingKey | None) -> SessionState:
    """Emphasize one finding, and make its viewport the active one."""
    if key == state.selected:
        return state
    found = [
        index
        for index, viewport in enumerate(state.viewports)
        if key and viewport.image and viewport.image.sop_instance_uid == key.sop_instance_uid
    ]
    return replace(state, selected=key, active=found[0] if found else state.active)


# Measuring


def add_length(state: SessionState, length: Length) -> SessionState:
    """Keep a measured line."""
    return replace(state, lengths=(*state.lengths, length))


def move_length_end(state: SessionState, end: tuple[float, float]) -> SessionState:
    """Move the end of the line that was drawn last."""
    if not state.lengths:
        return state
    return replace(state, lengths=(*state.lengths[:-1], replace(state.lengths[-1], end=end)))


def clear_lengths(state: SessionState) -> SessionState:
    """Forget every measured line of the study."""
    return replace(state, lengths=()) if state.lengths else state
