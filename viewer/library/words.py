"""The reader's words as rows: every one is added, none is ever changed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, TypeVar

from viewer.core.decision import Decision
from viewer.core.decision_json import (
    decision_from_json,
    decision_to_json,
    outcome_from_json,
    outcome_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from viewer.core.decision import Circumstances, Outcome

    Word = Decision | Outcome

_log = logging.getLogger("viewer.library")

Said = TypeVar("Said")

# A row that is there already is the same one: its first writing only seemed to fail.
_ADD_DECISION = (
    "INSERT OR IGNORE INTO decisions (id, study_uid, sop_instance_uid, mark, standing, reader,"
    " at, marks_shown, marks_seen, synthetic, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_OUTCOME = (
    "INSERT OR IGNORE INTO outcomes (id, study_uid, laterality, reader,"
    " at, marks_shown, marks_seen, synthetic, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DECISIONS = "SELECT content FROM decisions WHERE study_uid = ? ORDER BY number"
OUTCOMES = "SELECT content FROM outcomes WHERE study_uid = ? ORDER BY number"


def addition(study_uid: str, name: str, word: Word) -> tuple[str, list[tuple[object, ...]]]:
    """The statement that adds a word, and its row; `name` is the row's own for good."""
    if isinstance(word, Decision):
        about = (word.sop_instance_uid, word.mark, word.standing.value)
        content = json.dumps(decision_to_json(word))
        row = (name, study_uid, *about, *_columns(word.circumstances), content)
        return _ADD_DECISION, [row]
    content = json.dumps(outcome_to_json(word))
    columns = _columns(word.circumstances)
    return _ADD_OUTCOME, [(name, study_uid, word.laterality.value, *columns, content)]


def decisions_in(rows: Iterable[tuple[object, ...]]) -> tuple[Decision, ...]:
    """The decisions of rows of `DECISIONS`; one of another form is left out."""
    return tuple(_understood(rows, decision_from_json))


def outcomes_in(rows: Iterable[tuple[object, ...]]) -> tuple[Outcome, ...]:
    """The outcomes of rows of `OUTCOMES`; one of another form is left out."""
    return tuple(_understood(rows, outcome_from_json))


def _understood(
    rows: Iterable[tuple[object, ...]], read: Callable[[object], Said]
) -> Iterable[Said]:
    for (content,) in rows:
        try:
            yield read(json.loads(str(content)))
        except (ValueError, KeyError, TypeError):
            _log.warning("a word of the reader in the library cannot be understood")


def _columns(about: Circumstances) -> tuple[object, ...]:
    return (
        about.reader,
        about.at,
        int(about.marks_shown),
        int(about.marks_seen),
        int(about.synthetic),
    )
