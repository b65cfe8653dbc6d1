"""What the workstation remembers: studies opened, what the reader said, analyses made.

The calls are short (one row each) and may come from any thread, one at a time.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.findings import Analysis
from ml.findings_json import image_from_json, image_to_json
from ml.mammo.codes import Laterality
from viewer.core.state import Impression, Reading
from viewer.library.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ml.findings import ImageAnalysis, ModelUse

_log = logging.getLogger("viewer.library")


@dataclass(frozen=True, slots=True)
class RecentStudy:
    """A study that was open once.

    Attributes
    ----------
    path
        What was opened: a file, a folder or a DICOMDIR.
    label
        For the list of recent studies.
    opened_at
        ISO 8601 UTC, the last time.
    """

    uid: str
    path: str
    label: str
    opened_at: str


class Library:
    """The open library.

    Parameters
    ----------
    path
        The SQLite file; made where there is none, set aside where it is damaged.

    Attributes
    ----------
    sentence
        What to tell the user about the file; empty where all is well.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection, self.sentence = open_database(path)

    def close(self) -> None:
        """Close the file; the library is not used after that."""
        with self._lock:
            self._connection.close()

    def remember_study(self, study: RecentStudy) -> None:
        """Put a study first in the list of recent ones."""
        self._write(
            "INSERT OR REPLACE INTO studies VALUES (?, ?, ?, ?)",
            (study.uid, study.path, study.label, study.opened_at),
        )

    def recent_studies(self, count: int = 20) -> tuple[RecentStudy, ...]:
        """The studies that were open last, the newest first."""
        rows = self._read(
            "SELECT uid, path, label, opened_at FROM studies"
            " ORDER BY opened_at DESC, rowid DESC LIMIT ?",
            (count,),
        )
        return tuple(RecentStudy(*(str(value) for value in row)) for row in rows)

    def forget_study(self, uid: str) -> None:
        """Take a study out of the list of recent ones; what was said of it stays."""
        self._write("DELETE FROM studies WHERE uid = ?", (uid,))

    def keep_reading(self, study_uid: str, reading: Reading, reader: str = "") -> None:
        """Keep what the reader said of a study, in place of what she said before."""
        self._write(
            "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?)",
            (
                study_uid,
                _impressions_to_json(reading.before),
                _impressions_to_json(reading.after),
                reading.revealed_at,
                int(reading.seen_before),
                reader,
            ),
        )

    def reading_of(self, study_uid: str) -> Reading | None:
        """What the reader said of a study; None where she said nothing yet."""
        rows = self._read(
            "SELECT before, after, revealed_at, seen_before FROM readings WHERE uid = ?",
            (study_uid,),
        )
        try:
            return _reading(rows[0]) if rows else None
        except (ValueError, TypeError, KeyError):
            _log.warning("a reading in the library cannot be understood")
            return None

    def keep_analysis(self, analysis: Analysis) -> None:
        """Keep an analysis, image by image, under the hashes of the models that made it."""
        key = _hashes(analysis.models)
        for image in analysis.images:
            content = image_to_json(image, analysis.models, heat_maps=True)
            self._write(
                "INSERT OR REPLACE INTO analyses VALUES (?, ?, ?)",
                (image.sop_instance_uid, key, json.dumps(content)),
            )

    def analysis_of(
        self, sop_instance_uids: Iterable[str], models: Mapping[str, ModelUse], engine: str = ""
    ) -> Analysis | None:
        """The kept analysis of these images by these models; None unless all are there.

        Parameters
        ----------
        engine
            What would compute it; the time of a kept analysis is given as 0 ms.
        """
        images = [self._image(uid, _hashes(models)) for uid in sop_instance_uids]
        known = tuple(image for image in images if image is not None)
        if not known or len(known) != len(images):
            return None
        return Analysis(models, known, engine)

    def _image(self, uid: str, key: str) -> ImageAnalysis | None:
        rows = self._read(
            "SELECT content FROM analyses WHERE sop_instance_uid = ? AND model_hashes = ?",
            (uid, key),
        )
        try:
            return replace(image_from_json(json.loads(str(rows[0][0]))), milliseconds=0.0)
        except IndexError:
            return None
        except (DataError, ValueError):
            _log.info("a kept analysis is of another form; the image is analyzed again")
            return None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            with self._lock, self._connection:
                self._connection.execute(statement, values)
        except sqlite3.Error as error:
            # A full disk must not end a reading session.
            _log.warning("the library could not be written: %s", _name(error))

    def _read(self, statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            _log.warning("the library could not be read: %s", _name(error))
            return []


def _name(error: sqlite3.Error) -> str:
    # The name alone: a message could quote a value. Python's own errors have no SQLite name.
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def _hashes(models: Mapping[str, ModelUse]) -> str:
    return " ".join(f"{role}={models[role].weights_sha256}" for role in sorted(models))


def _impressions_to_json(impressions: Mapping[Laterality, Impression]) -> str:
    return json.dumps({side.value: said.value for side, said in impressions.items()})


def _impressions_from_json(text: object) -> Mapping[Laterality, Impression]:
    content = cast("dict[str, str]", json.loads(str(text)))
    return MappingProxyType(
        {Laterality(side): Impression(said) for side, said in content.items()}
    )


def _reading(row: tuple[object, ...]) -> Reading:
    before, after, revealed_at, seen_before = row
    return Reading(
        _impressions_from_json(before),
        _impressions_from_json(after),
        str(revealed_at),
        bool(seen_before),
    )
