"""What models in shadow said: rows that no look-up of analyses reads."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.findings_json import image_from_json, image_to_json
from viewer.library.reads import score_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.findings import Analysis
    from viewer.core.shadow import Pair
    from viewer.library.reads import Ask

_log = logging.getLogger("viewer.library")

ADDITION = "INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?)"
_SEEN = "SELECT sop_instance_uid FROM shadows WHERE model_hashes = ?"
_PAIRS = "SELECT sop_instance_uid, content FROM shadows WHERE role = ? ORDER BY rowid DESC"


def rows_of(role: str, key: str, said: Analysis, live: Analysis) -> list[tuple[object, ...]]:
    """Rows to keep: each image with the score that the model in use gave it, without maps.

    Parameters
    ----------
    role
        Of the model in shadow.
    key
        All that the analysis follows from, beside the image.
    live
        Of the same images.
    """
    shown = {image.sop_instance_uid: image for image in live.images}
    weights = live.models[role].weights_sha256 if role in live.models else ""
    rows: list[tuple[object, ...]] = []
    for image in said.images:
        score = score_of(shown[image.sop_instance_uid], role)
        content = image_to_json(image, said.models) | {"engine": said.engine}
        content["live"] = {"weights": weights, "score": score}
        rows.append((image.sop_instance_uid, key, role, json.dumps(content)))
    return rows


def unseen(ask: Ask, uids: Iterable[str], key: str) -> tuple[str, ...]:
    """Those of the images that the models in shadow did not look at."""
    seen = {str(uid) for (uid,) in ask(_SEEN, (key,))}
    return tuple(uid for uid in uids if uid not in seen)


def pairs_of(ask: Ask, role: str, weights: tuple[str, str]) -> tuple[Pair, ...]:
    """Of each image that two models of a role looked at, both scores.

    Parameters
    ----------
    weights
        By which the model in shadow, and the one in use, are named.
    """
    # For numpy, which no first paint should wait for.
    from viewer.core.shadow import Pair

    found: dict[str, Pair] = {}
    for uid, content in ask(_PAIRS, (role,)):
        try:
            document = json.loads(str(content))
            live = document["live"]
            named = (document["model_hashes"][role], live["weights"])
            shadow = score_of(image_from_json(document), role)
        except (DataError, ValueError, KeyError, TypeError):
            _log.info("what a model in shadow said is of another form and is not counted")
            continue
        if named == weights and shadow is not None and live["score"] is not None:
            found.setdefault(str(uid), Pair(shadow, float(live["score"])))
    return tuple(found.values())
