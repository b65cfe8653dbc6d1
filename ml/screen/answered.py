"""What a screening's models said, for whoever opens one of its studies: read, never written."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, bindparam, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from ml.errors import DataError
from ml.findings_json import image_from_json
from ml.screen.ledger import LEDGER, models_key
from ml.screen.rows import Standing, State
from ml.screen.tables import FORM, answers, facts, files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

    from ml.findings import ImageAnalysis, ModelUse

Told = TypeVar("Told")
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
    return _read(results, lambda ledger: _said(ledger, tuple(images), models_key(models)), ())


def contents_of(results: Path, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """All that any models said of the images of some studies, as JSON without heat maps.

    Parameters
    ----------
    keys
        Of studies of the list.

    Returns
    -------
    dict
        By the study's key, what was said last first. Empty where the ledger lies elsewhere or
        cannot be read.
    """
    return _read(results, lambda ledger: _contents(ledger, keys), {})


def _read(results: Path, ask: Callable[[Connection], Told], nothing: Told) -> Told:
    """Ask the ledger that lies in a folder of results; nothing where it cannot be asked."""
    path = results / LEDGER
    if not path.exists():
        return nothing
    # The run may go on meanwhile, or the folder be one in which nobody may write.
    readable = {"mode": "ro", "uri": "true"}
    url = URL.create("sqlite", database=path.absolute().as_uri(), query=readable)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            form = connection.scalar(select(facts.c.value).where(facts.c.name == "form"))
            return ask(connection) if form == FORM else nothing
    except (DBAPIError, DataError, ValueError) as error:
        _log.info("the ledger of a screening was not read: %s", type(error).__name__)
        return nothing
    finally:
        engine.dispose()


def _contents(connection: Connection, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    same = (answers.c.sop_instance_uid == files.c.sop_instance_uid) & (
        answers.c.synthetic == files.c.synthetic
    )
    # A heat map may be a megabyte, and is not asked for.
    asked = (
        select(func.json_remove(answers.c.content, "$.heat_map"))
        .select_from(files.join(answers, same))
        .where(
            files.c.study_key == bindparam("key"),
            files.c.standing == Standing.IMAGE,
            answers.c.state != State.FAILED,
        )
        .order_by(answers.c.at_s.desc())
    )
    found = {key: tuple(connection.scalars(asked, {"key": key})) for key in keys}
    return {key: contents for key, contents in found.items() if contents}


def _said(
    connection: Connection, images: tuple[tuple[str, bool], ...], models: str
) -> tuple[ImageAnalysis, ...]:
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
