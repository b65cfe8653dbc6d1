"""What the reader decides on marks: pure functions, with times and names handed in.

A decision is made where the gesture is (what was visible then counts) and added to the state
once it is known who the reader is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from ml.mammo.geometry import Box
from viewer.core.decision import (
    Circumstances,
    Decision,
    Deed,
    Speaker,
    Standing,
    last_words,
)
from viewer.core.marks import Mark, mark_of
from viewer.core.reading import has_seen
from viewer.core.state import FindingKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ml.findings import ModelUse
    from ml.mammo.codes import FindingType
    from ml.mammo.mammogram import Mammogram
    from viewer.core.state import SessionState

# A smaller box is a slip of the hand.
LEAST_PX = 4.0


def new_mark() -> str:
    """A name for a mark that nobody has given before."""
    return uuid4().hex


def circumstances(state: SessionState, at: str) -> Circumstances:
    """Under which something is said of the open study now."""
    analysis = state.analysis
    shown = analysis is not None and state.machine_shown
    seen = has_seen(state)
    synthetic = state.study is not None and state.study.synthetic
    models = _speakers(analysis.models) if analysis else ()
    return Circumstances(state.reader, at, shown, seen, synthetic, models, state.listed)


def accepted(state: SessionState, key: FindingKey | None, at: str) -> Decision | None:
    """The machine is right about this one; None where there is nothing to accept."""
    return _judged(state, key, Standing.ACCEPTED, Deed.ACCEPTED, at)


def rejected(state: SessionState, key: FindingKey | None, at: str) -> Decision | None:
    """There is no such finding; None where there is nothing to reject."""
    return _judged(state, key, Standing.REJECTED, Deed.REJECTED, at)


def retyped(
    state: SessionState, key: FindingKey | None, finding_type: FindingType, at: str
) -> Decision | None:
    """It is something else; whoever says what it is accepts that it is there."""
    mark = mark_of(state, key)
    if mark is None or mark.finding_type is finding_type:
        return None
    changed = replace(mark, finding_type=finding_type)
    return _decision(state, changed, _kept(mark), Deed.RETYPED, at)


def moved(state: SessionState, key: FindingKey | None, box: Box, at: str) -> Decision | None:
    """It lies elsewhere or is of another size; the part inside the image counts."""
    mark = mark_of(state, key)
    image = _image(state, mark.key.sop_instance_uid) if mark else None
    fitted = _fitted(box, image) if image else None
    if mark is None or fitted is None or fitted == mark.box:
        return None
    return _decision(state, replace(mark, box=fitted), _kept(mark), Deed.MOVED, at)


def drawn(
    state: SessionState,
    place: tuple[str, int | None],
    box: Box,
    finding_type: FindingType,
    at: str,
    name: str,
) -> Decision | None:
    """A mark of the reader's own; None where the box is too small or outside the image.

    Parameters
    ----------
    place
        SOP Instance UID and frame, counted from 1; a frame of None: a single image.
    name
        Of the mark, as `new_mark` gives it.
    """
    image = _image(state, place[0])
    fitted = _fitted(box, image) if image else None
    if fitted is None:
        return None
    key = FindingKey(place[0], -1, name)
    found = Mark(key, fitted, finding_type, place[1], None, Standing.DRAWN, name)
    return _decision(state, found, Standing.DRAWN, Deed.DRAWN, at)


def taken_away(state: SessionState, key: FindingKey | None, at: str) -> Decision | None:
    """Her own drawing is removed; her word on a finding of the machine's is withdrawn."""
    mark = mark_of(state, key)
    if mark is None or mark.by is None:
        return None
    if mark.said is None:
        return _decision(state, mark, Standing.REMOVED, Deed.REMOVED, at)
    plain = replace(mark, box=mark.said.box, finding_type=mark.said.finding_type)
    return _decision(state, plain, Standing.OPEN, Deed.WITHDRAWN, at)


def add_decision(state: SessionState, decision: Decision) -> SessionState:
    """Let a decision hold, signed with the reader's name; what was decided on is selected.

    One on a study that is no longer open changes nothing.
    """
    if _image(state, decision.sop_instance_uid) is None:
        return state
    signed = replace(decision.circumstances, reader=state.reader)
    decision = replace(decision, circumstances=signed)
    added = replace(state, decisions=(*state.decisions, decision))
    if decision.standing is Standing.REMOVED:
        return replace(added, selected=None)
    if decision.deed is Deed.DRAWN:
        key = FindingKey(decision.sop_instance_uid, -1, decision.mark)
        return replace(added, selected=key)
    return added


def restore_decisions(state: SessionState, kept: tuple[Decision, ...]) -> SessionState:
    """Put what the library kept of the opened study before what was said since."""
    return replace(state, decisions=(*kept, *state.decisions)) if kept else state


def brought_back(
    state: SessionState, past: SessionState, marks: Iterable[str], deed: Deed, at: str
) -> SessionState:
    """Let these marks stand as in `past`: by new decisions, for the history is never cut.

    Parameters
    ----------
    deed
        `UNDONE` or `REDONE`.
    """
    now, then = last_words(state.decisions), last_words(past.decisions)
    about = circumstances(state, at)
    added = tuple(
        replace(_as_then(now[name], then.get(name)), deed=deed, circumstances=about)
        for name in marks
        if name in now
    )
    if not added:
        return state
    changed = replace(state, decisions=(*state.decisions, *added))
    gone = changed.selected is not None and mark_of(changed, changed.selected) is None
    return replace(changed, selected=None) if gone else changed


def _as_then(now: Decision, then: Decision | None) -> Decision:
    if then is not None:
        return then
    if now.said is None:
        return replace(now, standing=Standing.REMOVED)
    said = now.said
    return replace(now, standing=Standing.OPEN, finding_type=said.finding_type, box=said.box)


def _judged(
    state: SessionState, key: FindingKey | None, standing: Standing, deed: Deed, at: str
) -> Decision | None:
    mark = mark_of(state, key)
    if mark is None or mark.said is None or mark.standing is standing:
        return None
    return _decision(state, mark, standing, deed, at)


def _kept(mark: Mark) -> Standing:
    return Standing.DRAWN if mark.said is None else Standing.ACCEPTED


def _decision(
    state: SessionState, mark: Mark, standing: Standing, deed: Deed, at: str
) -> Decision:
    return Decision(
        mark=mark.id or new_mark(),
        sop_instance_uid=mark.key.sop_instance_uid,
        deed=deed,
        standing=standing,
        finding_type=mark.finding_type,
        box=mark.box,
        frame=mark.frame,
        said=mark.said,
        circumstances=circumstances(state, at),
    )


def _speakers(models: Mapping[str, ModelUse]) -> tuple[Speaker, ...]:
    return tuple(
        Speaker(role, use.name, use.version, use.weights_sha256, use.card_sha256)
        for role, use in models.items()
    )


def _fitted(box: Box, image: Mammogram) -> Box | None:
    """The part inside the image, in whole pixels; None where next to nothing is."""
    inside = box.clipped(image.rows, image.columns)
    whole = Box(*(float(round(edge)) for edge in _edges(inside)))
    return whole if min(whole.size) >= LEAST_PX else None


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.row0, box.col0, box.row1, box.col1


def _image(state: SessionState, sop_instance_uid: str) -> Mammogram | None:
    images = state.study.images if state.study else ()
    return next((each for each in images if each.sop_instance_uid == sop_instance_uid), None)
