"""What the workstation remembers: studies opened, what the reader said, analyses made.

The calls are short and may come from any thread, one at a time. They are plain SQL over the
module `sqlite3`: a study is remembered before its first picture is painted, and SQLAlchemy,
which the tables and the job queue are written in, takes an eighth of a second to import.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.findings import Analysis
from ml.findings_json import image_from_json, image_to_json
from ml.mammo.codes import Laterality
from ml.texts import mark
from viewer.core.errors import LibraryError
from viewer.core.state import Impression, Reading
from viewer.library.database import (
    is_kept,
    is_whole,
    name_of_error,
    open_database,
    replace_database,
)
from viewer.library.reads import analyses_of, latest_scores, read_studies
from viewer.library.shadows import ADDITION, pairs_of, rows_of, unseen
from viewer.library.statuses import statuses_of
from viewer.library.words import DECISIONS, OUTCOMES, addition, decisions_in, outcomes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ml.findings import ImageAnalysis, ModelUse
    from viewer.core.decision import Decision, Outcome
    from viewer.core.drift import Scored
    from viewer.core.read_study import ReadStudy, Status
    from viewer.core.shadow import Pair

    _Statement = tuple[str, Sequence[tuple[object, ...]]]

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
    files
        Where the images were, by their SOP Instance UID; not filled where studies are listed.
    """

    uid: str
    path: str
    label: str
    opened_at: str
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Library:
    """The open library.

    Parameters
    ----------
    path
        The SQLite file; made where there is none, set aside where it is damaged: some damage is
        seen at once, the rest by `check`.

    Attributes
    ----------
    sentence
        What to tell the user about the file; empty where all is well.
    place
        The file; None where the library is in memory alone.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._closed = False
        # What was written to a file that nobody looked through yet; None once that is done.
        self._unproven: list[_Statement] | None = []
        self._take(path, *open_database(path))

    def close(self) -> None:
        """Close the file; the library is not used after that."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def check(self) -> str:
        """Look through the whole file, and set it aside where it is damaged.

        To be called once, soon after the first paint and off the GUI thread: a large library
        takes some seconds, in which it can be used. What was written before and meanwhile goes
        into the new file, too.

        Returns
        -------
        sentence
            What to tell the user; empty where all is well.
        """
        path = self.place
        if path is not None and not is_whole(path):
            with self._lock:
                return self._begin_anew(path)
        with self._lock:
            self._unproven = None
        return ""

    def remember_study(self, study: RecentStudy) -> None:
        """Put a study first in the list of recent ones, with where its files are."""
        rows = [(uid, path, study.uid) for uid, path in study.files.items()]
        self._write_all(
            (
                # REPLACE would take the study's files away.
                "INSERT INTO studies VALUES (?, ?, ?, ?) ON CONFLICT (uid) DO UPDATE SET"
                " path = excluded.path, label = excluded.label, opened_at = excluded.opened_at",
                [(study.uid, study.path, study.label, study.opened_at)],
            ),
            ("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows),
        )

    def files_of(self, study_uid: str) -> tuple[tuple[str, str], ...]:
        """Where the files of a study were: SOP Instance UIDs and paths, in the paths' order."""
        rows = self._read(
            "SELECT sop_instance_uid, path FROM files WHERE study_uid = ? ORDER BY path",
            (study_uid,),
        )
        return tuple((str(uid), str(path)) for uid, path in rows)

    def recent_studies(self, count: int = 20) -> tuple[RecentStudy, ...]:
        """The studies that were open last, the newest first."""
        rows = self._read(
            "SELECT uid, path, label, opened_at FROM studies"
            " ORDER BY opened_at DESC, rowid DESC LIMIT ?",
            (count,),
        )
        return tuple(RecentStudy(str(u), str(p), str(lb), str(at)) for u, p, lb, at in rows)

    def forget_study(self, uid: str) -> None:
        """Take a study and its files out of the lists; what was said of it stays."""
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

    def add_words(self, words: Iterable[tuple[str, str, Decision | Outcome]]) -> None:
        """Add decisions and outcomes to the history, in this order, all or none.

        Parameters
        ----------
        words
            The study each belongs to, a name for its row that no other has, and the word. One
            whose row is there already is not added again.

        Raises
        ------
        LibraryError
            Where they cannot be written.
        """
        statements = [addition(study_uid, name, word) for study_uid, name, word in words]
        if not self._write_all(*statements):
            raise LibraryError(
                mark(
                    "What you decided could not be written to the library; it is tried again "
                    "with your next decision. Is the disk full?"
                )
            )

    def decisions_of(self, study_uid: str) -> tuple[Decision, ...]:
        """All that was decided on marks of a study, the oldest first."""
        return decisions_in(self._read(DECISIONS, (study_uid,)))

    def outcomes_of(self, study_uid: str) -> tuple[Outcome, ...]:
        """All that was said of a study's breasts, the oldest first."""
        return outcomes_in(self._read(OUTCOMES, (study_uid,)))

    def read_studies(self) -> tuple[ReadStudy, ...]:
        """Every study that was opened or said something of, those opened last first.

        All words are read: for a job, not for the GUI thread.
        """
        return read_studies(self._read, _reading)

    def statuses_of(self, study_uids: Iterable[str]) -> dict[str, Status]:
        """Which of these studies were read, and which recalled; the others are left out."""
        return statuses_of(self._read, study_uids)

    def latest_analyses(self, study_uid: str, weights_sha256: str) -> tuple[ImageAnalysis, ...]:
        """What a classifier, named by its weights, said last of each image of a study.

        Without heat maps. The study is one of `read_studies`.
        """
        return analyses_of(self._read, study_uid, weights_sha256)

    def latest_scores(
        self, role: str, weights_sha256: str, count: int = 200
    ) -> tuple[Scored, ...]:
        """The scores that a model, named by its weights, gave the images that it saw last.

        The newest first; heat maps are parsed, so this is for a job.
        """
        return latest_scores(self._read, role, weights_sha256, count)

    def keep_analysis(
        self, analysis: Analysis, makers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Keep an analysis, image by image, under the models and the program that made it.

        Parameters
        ----------
        makers
            Of the devices, by SOP Instance UID, as far as the headers say.
        """
        key, models = _key(analysis.models), analysis.models
        rows = [
            (
                i.sop_instance_uid,
                key,
                json.dumps(
                    image_to_json(i, models, heat_maps=True)
                    | {"engine": analysis.engine}
                    | {"manufacturer": makers.get(i.sop_instance_uid, "")}
                ),
            )
            for i in analysis.images
        ]
        self._write_all(("INSERT OR REPLACE INTO analyses VALUES (?, ?, ?)", rows))

    def keep_shadow(self, role: str, said: Analysis, live: Analysis) -> None:
        """Keep what a model in shadow said, apart from the analyses: it is never shown.

        Parameters
        ----------
        role
            Of the model in shadow; the others are those in use.
        live
            What the models in use said of the same images.
        """
        self._write_all((ADDITION, rows_of(role, _key(said.models), said, live)))

    def unseen_by_shadow(
        self, sop_instance_uids: Iterable[str], models: Mapping[str, ModelUse]
    ) -> tuple[str, ...]:
        """Those of the images of which `keep_shadow` kept nothing by these models."""
        return unseen(self._read, sop_instance_uids, _key(models))

    def shadow_pairs(self, role: str, weights: tuple[str, str]) -> tuple[Pair, ...]:
        """Both scores of each image that a model in shadow, and the one in use, looked at.

        Parameters
        ----------
        weights
            By which the two are named, the one in shadow first.
        """
        return pairs_of(self._read, role, weights)

    def analysis_of(
        self, sop_instance_uids: Iterable[str], models: Mapping[str, ModelUse]
    ) -> Analysis | None:
        """The kept analysis of these images by these models; None unless all are there.

        What other models, another card of the same or another version of the program said is
        none. Its images give no time.
        """
        key = _key(models)
        images = [self._image(uid, key) for uid in sop_instance_uids]
        known = [image for image in images if image is not None]
        if not known or len(known) != len(images):
            return None
        engines = dict.fromkeys(engine for _, engine in known)
        return Analysis(models, tuple(image for image, _ in known), ", ".join(engines), True)

    def _image(self, uid: str, key: str) -> tuple[ImageAnalysis, str] | None:
        rows = self._read(
            "SELECT content FROM analyses WHERE sop_instance_uid = ? AND model_hashes = ?",
            (uid, key),
        )
        try:
            content = json.loads(str(rows[0][0]))
            image = replace(image_from_json(content), milliseconds=0.0)
            return image, str(content["engine"])
        except IndexError:
            return None
        except (DataError, ValueError, KeyError):
            _log.info("a kept analysis is of another form; the image is analyzed again")
            return None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._write_all((statement, [values]))

    def _write_all(self, *statements: _Statement) -> bool:
        with self._lock:
            if self._unproven is not None:
                self._unproven.extend(statements)
            return self._execute(statements)

    def _begin_anew(self, path: Path) -> str:
        if self._closed:
            # It is seen again at the next start.
            return ""
        self._connection.close()
        self._take(path, *replace_database(path))
        self._execute(self._unproven or ())
        self._unproven = None
        return self.sentence

    def _take(self, path: Path, connection: sqlite3.Connection, sentence: str) -> None:
        self._connection, self.sentence = connection, sentence
        self.place = path if is_kept(connection) else None

    def _execute(self, statements: Iterable[_Statement]) -> bool:
        try:
            with self._connection:
                for statement, rows in statements:
                    self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            # A full disk must not end a reading session.
            _log.warning("the library could not be written: %s", name_of_error(error))
            return False
        return True

    def _read(self, statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            _log.warning("the library could not be read: %s", name_of_error(error))
            return []


def _key(models: Mapping[str, ModelUse]) -> str:
    """All that an analysis follows from, beside the image."""
    # For importlib.metadata, which no first paint should wait for.
    from viewer.core.report import program_version

    uses = (f"{role}={_named(models[role])}" for role in sorted(models))
    return " ".join((program_version(), *uses))


def _named(use: ModelUse) -> str:
    # The card, too: the same weights may be calibrated anew under the same version.
    return f"{use.name}@{use.version}:{use.weights_sha256}:{use.card_sha256}"


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
