"""Where many studies stand with the reader, asked at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from viewer.core.read_study import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Ask = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]

# A list of any length is one value: SQLite limits how many a statement may have.
_AMONG = "IN (SELECT value FROM json_each(?))"
_READ = (
    f"SELECT uid FROM readings WHERE uid {_AMONG}"
    " AND (revealed_at <> '' OR before <> '{}' OR after <> '{}')"
)
# The latest of each breast comes last. One of another form is left out, as where it is read.
_OUTCOMES = (
    "SELECT study_uid, laterality, json_extract(content, '$.recall') FROM outcomes"
    f" WHERE study_uid {_AMONG} AND json_valid(content) ORDER BY number"
)


def statuses_of(ask: Ask, study_uids: Iterable[str]) -> dict[str, Status]:
    """Where these studies stand; one that is not read is left out.

    As `viewer.core.read_study.status_of` says of one study.

    Parameters
    ----------
    ask
        Runs a statement.
    """
    asked = (json.dumps(tuple(study_uids)),)
    found = {str(uid): Status.READ for (uid,) in ask(_READ, asked)}
    latest = {(str(uid), side): recall for uid, side, recall in ask(_OUTCOMES, asked)}
    found.update((uid, Status.READ) for uid, _ in latest)
    found.update((uid, Status.RECALLED) for (uid, _), recall in latest.items() if recall)
    return found
