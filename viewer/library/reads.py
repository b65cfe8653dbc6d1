"""All that was read, and what the models said: rows behind the figures."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.findings_json import image_from_json
from viewer.core.read_study import SYNTHETIC, ReadStudy
from viewer.core.state import Reading
from viewer.library.words import decisions_in, outcomes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ml.findings import ImageAnalysis
    from viewer.core.drift import Scored

    Row = tuple[object, ...]
    Ask = Callable[[str, tuple[object, ...]], list[Row]]

_log = logging.getLogger("viewer.library")

_STUDIES = "SELECT uid, label, path FROM studies ORDER BY opened_at DESC, rowid DESC"
_DECISIONS = "SELECT study_uid, content FROM decisions ORDER BY number"
_OUTCOMES = "SELECT study_uid, content FROM outcomes ORDER BY number"
_READINGS = "SELECT uid, reader, before, after, revealed_at, seen_before FROM readings"
# The newest of each image's first. A heat map may be a megabyte, and is not asked for.
_ANALYSES = (
    "SELECT json_remove(analyses.content, '$.heat_map') FROM analyses JOIN files"
    " ON files.sop_instance_uid = analyses.sop_instance_uid"
    " WHERE files.study_uid = ? ORDER BY analyses.rowid DESC"
)
# Some at a time: the library waits for nobody longer than it takes to parse their heat maps.
_SOME = 16
_LATEST = (
    "SELECT rowid, sop_instance_uid, json_remove(content, '$.heat_map') FROM analyses"
    " WHERE rowid < ? ORDER BY rowid DESC LIMIT ?"
)
_NEWEST = 2**63 - 1
CLASSIFIER = "classifier"


def read_studies(ask: Ask, reading: Callable[[Row], Reading]) -> tuple[ReadStudy, ...]:
    """Every study that was opened or said something of: those opened last first.

    Parameters
    ----------
    ask
        Runs a statement.
    reading
        Makes a reading of its four columns.
    """
    places = {str(uid): (str(label), str(path)) for uid, label, path in ask(_STUDIES, ())}
    decisions, outcomes = _by_study(ask(_DECISIONS, ())), _by_study(ask(_OUTCOMES, ()))
    readings = dict(_readings(ask(_READINGS, ()), reading))
    uids = dict.fromkeys((*places, *decisions, *outcomes, *readings))
    made: list[ReadStudy] = []
    for uid in uids:
        first, reader = readings.get(uid, (Reading(), ""))
        said = decisions_in(decisions.get(uid, ())), outcomes_in(outcomes.get(uid, ()))
        made.append(ReadStudy(uid, *places.get(uid, ("", "")), first, reader, *said))
    return tuple(made)


def analyses_of(ask: Ask, study_uid: str, weights_sha256: str) -> tuple[ImageAnalysis, ...]:
    """What a classifier said last of each image of a study; one of another form is left out."""
    contents = (str(content) for (content,) in ask(_ANALYSES, (study_uid,)))
    return newest_of(contents, weights_sha256)


def newest_of(contents: Iterable[str], weights_sha256: str) -> tuple[ImageAnalysis, ...]:
    """What a classifier said last of each image; the newest of the contents comes first."""
    newest: dict[str, ImageAnalysis] = {}
    for content in contents:
        try:
            document = json.loads(content)
            if document["model_hashes"].get("classifier") == weights_sha256:
                image = image_from_json(document)
                newest.setdefault(image.sop_instance_uid, image)
        except (DataError, ValueError, KeyError, TypeError, AttributeError):
            _log.info("a kept analysis is of another form and is not ranked")
    return tuple(newest.values())


def latest_scores(ask: Ask, role: str, weights_sha256: str, count: int) -> tuple[Scored, ...]:
    """What one model said of the images that it saw last, the newest first, each once.

    Synthetic images and those that it did not look at are left out.
    """
    # For numpy and more, which no first paint should wait for.
    from viewer.core.drift import Scored

    found: dict[str, Scored] = {}
    before = _NEWEST
    while len(found) < count and (rows := ask(_LATEST, (before, _SOME))):
        before = cast("int", rows[-1][0])
        for _, uid, content in rows:
            said = None if str(uid).startswith(SYNTHETIC) else _said(content, role)
            if said is not None and said[0] == weights_sha256:
                found.setdefault(str(uid), Scored(str(uid), *said[1:]))
    return tuple(found.values())[:count]


def _said(content: object, role: str) -> tuple[str, str, str, float] | None:
    """The model's weights, the study, the maker and the score; None where there is none."""
    try:
        document = json.loads(str(content))
        image = image_from_json(document)
        weights = str(document["model_hashes"].get(role, ""))
        maker = str(document.get("manufacturer", ""))
    except (DataError, ValueError, KeyError, TypeError, AttributeError):
        _log.info("a kept analysis is of another form and is not counted")
        return None
    score = score_of(image, role)
    return None if score is None else (weights, image.study_instance_uid, maker, score)


def score_of(image: ImageAnalysis, role: str) -> float | None:
    """The one score of an image that a model is known by; None where it was refused.

    As `ml.distribution.Distribution` has it: a classifier's of a lesion, a detector's best
    mark.
    """
    if image.refused is not None or role == CLASSIFIER:
        return image.lesion_score
    return max((finding.score for finding in image.findings), default=0.0)


def _by_study(rows: Iterable[Row]) -> dict[str, Sequence[Row]]:
    made: defaultdict[str, list[Row]] = defaultdict(list)
    for uid, content in rows:
        made[str(uid)].append((content,))
    return dict(made)


def _readings(
    rows: Iterable[Row], reading: Callable[[Row], Reading]
) -> Iterable[tuple[str, tuple[Reading, str]]]:
    for uid, reader, *columns in rows:
        try:
            yield str(uid), (reading(tuple(columns)), str(reader))
        except (ValueError, TypeError, KeyError):
            _log.warning("a reading in the library cannot be understood")
