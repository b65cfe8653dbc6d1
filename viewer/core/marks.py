"""The marks on an image: what the machine found and what the reader made of it, as one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewer.core.decision import Standing, last_words
from viewer.core.state import FindingKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.findings import Finding, ImageAnalysis
    from ml.mammo.codes import FindingType
    from ml.mammo.geometry import Box
    from viewer.core.decision import Decision
    from viewer.core.state import SessionState

# A finding that covers as much of an earlier one's place is the same place: models that are
# asked again, or newer ones, draw their box a little differently.
SAME_PLACE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """One place in one image as it stands now.

    Attributes
    ----------
    id
        As in the decisions; empty where nothing was decided yet.
    said
        The machine's finding as it is (or was, when the reader decided); None: she drew it.
    by
        Her latest decision.
    """

    key: FindingKey
    box: Box
    finding_type: FindingType
    frame: int | None
    said: Finding | None
    standing: Standing = Standing.OPEN
    id: str = ""
    by: Decision | None = None

    @property
    def score(self) -> float:
        """The machine's; what the reader drew has none and comes first."""
        return 1.0 if self.said is None else self.said.score

    @property
    def is_retyped(self) -> bool:
        """Whether the reader calls it something else than the machine did."""
        said = self.by.said if self.by else None
        return said is not None and said.finding_type is not self.finding_type

    @property
    def is_moved(self) -> bool:
        """Whether the reader's box is not the machine's."""
        said = self.by.said if self.by else None
        return said is not None and said.box != self.box

    def is_shown(self, threshold: float) -> bool:
        """Whether it is drawn: what the reader decided on is, whatever its score."""
        return self.standing is not Standing.OPEN or self.score >= threshold


def marks_of(state: SessionState, sop_instance_uid: str) -> tuple[Mark, ...]:
    """All marks of an image that may be seen: the machine's in its order, then the reader's.

    While the machine's word is hidden, that is only what she drew herself.
    """
    words = [
        word
        for word in last_words(state.decisions).values()
        if word.sop_instance_uid == sop_instance_uid and word.standing is not Standing.REMOVED
    ]
    drawn = [_own(word) for word in words if word.said is None]
    if not state.machine_shown:
        return tuple(drawn)
    analysis = _analysis_of(state, sop_instance_uid)
    findings = analysis.findings if analysis else ()
    matched = _matched(findings, [word for word in words if word.said is not None])
    found = [
        _found(FindingKey(sop_instance_uid, index), finding, matched.get(index))
        for index, finding in enumerate(findings)
    ]
    known = {id(word) for word in matched.values()}
    left = [
        _own(word)
        for word in words
        if word.said is not None
        and word.standing is not Standing.OPEN
        and id(word) not in known
    ]
    return (*found, *left, *drawn)


def mark_of(state: SessionState, key: FindingKey | None) -> Mark | None:
    """The mark of this key; None where it is not there or may not be seen."""
    if key is None:
        return None
    return next(
        (mark for mark in marks_of(state, key.sop_instance_uid) if mark.key == key), None
    )


def _found(key: FindingKey, finding: Finding, word: Decision | None) -> Mark:
    if word is None or word.standing is Standing.OPEN:
        name = word.mark if word else ""
        return Mark(key, finding.box, finding.finding_type, finding.frame, finding, id=name)
    # An accepted box is the machine's of today, unless the reader drew it anew.
    said = word.said
    untouched = said is not None and said.box == word.box
    box = finding.box if untouched else word.box
    return Mark(
        key, box, word.finding_type, word.frame, finding, word.standing, word.mark, word
    )


def _own(word: Decision) -> Mark:
    key = FindingKey(word.sop_instance_uid, -1, word.mark)
    return Mark(
        key,
        word.box,
        word.finding_type,
        word.frame,
        word.said,
        word.standing,
        word.mark,
        word,
    )


def _matched(findings: Sequence[Finding], words: Sequence[Decision]) -> dict[int, Decision]:
    """Which word belongs to which finding: the best fitting pairs first, each once."""
    pairs = [
        (finding.box.iou(word.said.box), index, word)
        for index, finding in enumerate(findings)
        for word in words
        if word.said is not None and word.said.frame == finding.frame
    ]
    matched: dict[int, Decision] = {}
    taken: set[str] = set()
    for iou, index, word in sorted(pairs, key=lambda pair: -pair[0]):
        if iou >= SAME_PLACE_IOU and index not in matched and word.mark not in taken:
            matched[index] = word
            taken.add(word.mark)
    return matched


def _analysis_of(state: SessionState, sop_instance_uid: str) -> ImageAnalysis | None:
    images = state.analysis.images if state.analysis else ()
    return next((each for each in images if each.sop_instance_uid == sop_instance_uid), None)
