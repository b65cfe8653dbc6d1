"""What a screening's models said, for whoever opens one of its studies: read, never written."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, select
from sqlalchemy.exc import DBAPIError

from ml.errors import DataError
from ml.findings_json import image_from_json
from ml.screen.ledger import LEDGER, models_key
from ml.screen.rows import State
from ml.screen.tables import FORM, answers, facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

    from ml.findings import ImageAnalysis, ModelUse

_log = logging.getLogger("ml.screen")


def said_of(
    results: Path, images: Iterable[tuple[str, bool]], models: Mapping[str, ModelUse]
) -> tuple[ImageAnalysis, ...]:
    """What these models said of some images, from the ledger that lies in a folder of results.

    Parameters
    ----------
    images
        Each by its SOP Instance UID, and whether it is synthetic.

    Returns
    -------
    tuple of ImageAnalysis
        In the order asked for; empty unless all of them were looked at. Also empty where the
        ledger lies elsewhere, or cannot be read: then the models look anew.
    """
    path = results / LEDGER
    if not path.exists():
        return ()
    # The run may go on meanwhile, or the folder be one in which nobody may write.
    readable = {"mode": "ro", "uri": "true"}
    url = URL.create("sqlite", database=path.absolute().as_uri(), query=readable)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return _said(connection, tuple(images), models_key(models))
    except (DBAPIError, DataError, ValueError) as error:
        _log.info("the ledger of a screening was not read: %s", type(error).__name__)
        return ()
    finally:
        engine.dispose()


def _said(
    connection: Connection, images: tuple[tuple[str, bool], ...], models: str
) -> tuple[ImageAnalysis, ...]:
    if connection.scalar(select(facts.c.value).where(facts.c.name == "form")) != FORM:
        return ()
    asked = select(
        answers.c.sop_instance_uid, answers.c.synthetic, answers.c.content, answers.c.state
    ).where(
        answers.c.models == models, answers.c.sop_instance_uid.in_([uid for uid, _ in images])
    )
    contents = {
        (row.sop_instance_uid, bool(row.synthetic)): row.content
        for row in connection.execute(asked)
        if row.state != State.FAILED
    }
    if any(one not in contents for one in images):
        return ()
    return tuple(image_from_json(json.loads(contents[one])) for one in images)
