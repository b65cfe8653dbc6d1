"""What is written beside a mark on the image and in its row of the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.mammo.codes import FindingType
from ml.texts import mark, translate, within
from viewer.core.decision import Standing
from viewer.core.prevalence import finding_shown, probability_text

if TYPE_CHECKING:
    from ml.findings import Finding
    from viewer.core.marks import Mark
    from viewer.core.state import SessionState

_TYPES = {
    FindingType.MASS: mark("Mass"),
    FindingType.CALCIFICATIONS: mark("Calcifications"),
    FindingType.ARCHITECTURAL_DISTORTION: mark("Architectural distortion"),
    FindingType.ASYMMETRY: mark("Asymmetry"),
}
# Told without colour, and in few pixels.
SIGNS = {
    Standing.ACCEPTED: "\N{CHECK MARK} ",
    Standing.REJECTED: "\N{MULTIPLICATION X} ",
    Standing.DRAWN: "\N{LOWER RIGHT PENCIL} ",
}


def finding_name(finding_type: FindingType) -> str:
    """A finding's type in the reader's language: ``"Mass"``."""
    return translate(_TYPES[finding_type])


def machine_finding(found: Mark, state: SessionState) -> Finding | None:
    """What the machine says of a mark, its probability at the reader's prevalence."""
    if found.said is None or found.key.index < 0 or state.analysis is None:
        return found.said
    return finding_shown(found.said, state.analysis, state.per_thousand)


def label_of(found: Mark, state: SessionState) -> str:
    """The words at a box on the image: ``"mass 0.71"``, with a sign where it was decided on."""
    sign = SIGNS.get(found.standing, "")
    name = within(finding_name(found.finding_type))
    said = machine_finding(found, state)
    if said is None:
        return f"{sign}{name}"
    known = said.probability
    value = f"{said.score:.2f}" if known is None else probability_text(known)
    return f"{sign}{name} {value}"


def standing_text(found: Mark) -> str:
    """What the reader made of a mark, in words; empty where nothing."""
    if found.by is None or found.standing is Standing.OPEN:
        return ""
    if found.standing is Standing.DRAWN:
        if found.by.circumstances.marks_seen:
            return translate("drawn, marks seen")
        return translate("drawn, marks unseen")
    if found.standing is Standing.REJECTED:
        return translate("rejected")
    parts = [translate("accepted")]
    said = found.by.said
    if found.is_retyped and said is not None:
        was = translate("was {type}")
        parts.append(was.format(type=within(finding_name(said.finding_type))))
    if found.is_moved:
        parts.append(translate("box changed"))
    return ", ".join(parts)
