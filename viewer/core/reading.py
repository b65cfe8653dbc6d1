"""The blind first read: what the reader said before and after the machine's marks were shown.

Every action is a pure function from one `SessionState` to the next. Times are handed in, so
that the same action always gives the same state.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality
from viewer.core.state import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.mammo.study import Study
    from viewer.core.state import Impression, SessionState

# Right stands first, as in the hang.
SIDES = (Laterality.RIGHT, Laterality.LEFT)


def utc_now() -> str:
    """The time as a `Reading` keeps it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def breasts_to_read(study: Study | None) -> tuple[Laterality, ...]:
    """The breasts that have an image in the study; a cleavage view counts for both."""
    if study is None:
        return ()
    shown = {image.laterality.value for image in study.images if image.laterality}
    if Laterality.BOTH in shown:
        return SIDES
    return tuple(side for side in SIDES if side in shown)


def is_spoken(state: SessionState) -> bool:
    """Whether the reader gave her first impression of every breast of the open study."""
    breasts = breasts_to_read(state.study)
    return bool(breasts) and all(side in state.reading.before for side in breasts)


def record_impression(
    state: SessionState, laterality: Laterality, impression: Impression, now: str
) -> SessionState:
    """Keep the reader's word on one breast.

    While the machine's marks are hidden it is her first impression, and the last missing one
    reveals them; once they are shown it is her second, and the first stays as it was.
    """
    if laterality not in breasts_to_read(state.study):
        return state
    reading = state.reading
    if state.machine_shown:
        after = _with(reading.after, laterality, impression)
        return replace(state, reading=replace(reading, after=after))
    before = _with(reading.before, laterality, impression)
    spoken = replace(state, reading=replace(reading, before=before))
    return reveal(spoken, now) if is_spoken(spoken) else spoken


def reveal(state: SessionState, now: str) -> SessionState:
    """Show what the machine says of the open study, and keep when that was."""
    if state.study is None or state.machine_shown:
        return state
    return note_seen(replace(state, reading=replace(state.reading, revealed_at=now)))


def set_blind_first_read(state: SessionState, on: bool, now: str) -> SessionState:
    """Turn the switch.

    Turned off over a hidden analysis it reveals it. Turned on it hides anew whatever the reader
    has not yet judged; if she could have seen the marks before, the reading says so for good.
    """
    if on == state.blind_first_read:
        return state
    if not on:
        return replace(reveal(state, now), blind_first_read=False)
    if is_spoken(state):
        revealed = state.reading.revealed_at or now
        reading = replace(state.reading, revealed_at=revealed)
    else:
        reading = replace(
            state.reading, revealed_at="", seen_before=state.reading.seen_before or _seen(state)
        )
    return replace(state, blind_first_read=True, reading=reading, selected=None)


def is_untouched(reading: Reading) -> bool:
    """Whether the reader said nothing yet and asked for nothing to be shown."""
    return replace(reading, seen_before=False) == Reading()


def restore_reading(state: SessionState, reading: Reading | None) -> SessionState:
    """Bring back what the library kept of the study that was just opened.

    If the marks were there first, that stays on record, unless the first read was over before.
    """
    kept = reading or Reading()
    seen = kept.seen_before or (state.reading.seen_before and not kept.revealed_at)
    return note_seen(replace(state, reading=replace(kept, seen_before=seen)))


def note_seen(state: SessionState) -> SessionState:
    """Remember that the machine's marks on the open study can be seen, where they can.

    The state knows it while the program runs, and the reading, which the library keeps, for
    good: a study that was shown with its marks once is never again one that was not.
    """
    study, reading = state.study, state.reading
    if study is None or not _seen(state):
        return state
    if not reading.revealed_at:
        reading = replace(reading, seen_before=True)
    seen = state.seen | {(study.uid, study.synthetic)}
    return replace(state, reading=reading, seen=seen)


def has_seen(state: SessionState) -> bool:
    """Whether the machine's marks on the open study can be seen, or could be at any time."""
    study, reading = state.study, state.reading
    said = (*state.decisions, *state.outcomes)
    return (
        _seen(state)
        or reading.seen_before
        or bool(reading.revealed_at)
        or (study is not None and (study.uid, study.synthetic) in state.seen)
        or any(each.circumstances.marks_seen for each in said)
    )


def _seen(state: SessionState) -> bool:
    return state.machine_shown and state.analysis is not None


def _with(
    impressions: Mapping[Laterality, Impression], laterality: Laterality, impression: Impression
) -> Mapping[Laterality, Impression]:
    return MappingProxyType({**impressions, laterality: impression})
