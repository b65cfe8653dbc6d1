"""What a classifier said of the studies of a screened list, from the ledger beside it.

Plain SQL over `sqlite3`, read and never written: the ledger's tables are `ml.screen.tables`.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from viewer.library.reads import newest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ml.findings import ImageAnalysis

LEDGER = "ledger.sqlite"
# Of the tables: what another version of the program wrote is left alone.
_FORM = "1"
_PATIENCE_S = 2.0
# A heat map may be a megabyte, and is not asked for.
_ANSWERS = (
    "SELECT json_remove(answers.content, '$.heat_map') FROM files JOIN answers"
    " ON answers.sop_instance_uid = files.sop_instance_uid"
    " AND answers.synthetic = files.synthetic"
    " WHERE files.study_key = ? AND files.standing = 'image' AND answers.state <> 'failed'"
    " ORDER BY answers.at_s DESC"
)
_log = logging.getLogger("viewer.jobs")


def said_of_listed(
    results: Path, keys: Iterable[str], weights_sha256: str
) -> Mapping[str, tuple[ImageAnalysis, ...]]:
    """What a classifier, named by its weights, said of each image of some studies.

    Parameters
    ----------
    results
        The folder of the list.
    keys
        Of studies of the list.

    Returns
    -------
    mapping
        By the study's key, without heat maps; a study of which it said nothing is left out, and
        all are where the ledger lies elsewhere or cannot be read.
    """
    path = results / LEDGER
    if not path.exists():
        return {}
    # The run may go on meanwhile, or the folder be one in which nobody may write.
    place = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(place, timeout=_PATIENCE_S, uri=True)) as ledger:
            if ledger.execute("SELECT value FROM facts WHERE name = 'form'").fetchone() != (
                _FORM,
            ):
                return {}
            said = {
                key: newest_of(ledger.execute(_ANSWERS, (key,)), weights_sha256) for key in keys
            }
    except sqlite3.Error as error:
        _log.info("the ledger of a screening was not read: %s", type(error).__name__)
        return {}
    return {key: images for key, images in said.items() if images}
