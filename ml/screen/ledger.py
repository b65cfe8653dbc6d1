"""What was found and what came of it, kept so that nothing is done twice.

One row a file, and one row an image and set of models, written as soon as it is known. A file
`ledger.sqlite` beside the results, or another database by its URL where several machines share
the work. Rows are read in pages: memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import json
import time
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import and_, create_engine, delete, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from ml.errors import DataError
from ml.findings_json import image_from_json, image_to_json
from ml.screen.rows import (
    Answer,
    Entry,
    Heading,
    ScreenedImage,
    ScreenedStudy,
    Standing,
    State,
)
from ml.screen.tables import FORM, answers, facts, files, metadata
from ml.texts import mark

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Table

    from ml.findings import ModelUse

LEDGER = "ledger.sqlite"
_PAGE = 500
_BUSY_S = 30.0


class Ledger:
    """The ledger of one folder of results.

    Parameters
    ----------
    url
        As SQLAlchemy has it; `url_of` gives that of a folder.
    models
        `models_key` of those that look at the images.

    Raises
    ------
    DataError
        Where it cannot be opened, or another version of the program wrote it.
    """

    def __init__(self, url: str, models: str) -> None:
        self._models = models
        self._engine = _engine(url)
        try:
            metadata.create_all(self._engine)
            self._check_form()
        except DBAPIError as error:
            raise DataError(
                mark("The ledger cannot be opened ({why}); choose another folder for results."),
                why=type(error.orig).__name__,
                detail=str(error.orig),
            ) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def fact(self, name: str) -> str:
        """Something else that is kept; empty where it is not there."""
        with self._engine.connect() as connection:
            return connection.scalar(select(facts.c.value).where(facts.c.name == name)) or ""

    def keep_fact(self, name: str, value: str) -> None:
        """Keep something else."""
        with self._engine.begin() as connection:
            _put(connection, facts, [{"name": name, "value": value}])

    def begin_walk(self) -> int:
        """The number of a new walk through the folder."""
        number = int(self.fact("walk") or 0) + 1
        self.keep_fact("walk", str(number))
        return number

    def changed(self, entries: Sequence[Entry], walk: int) -> list[Entry]:
        """Those that are not known as they are now; the others are marked as met.

        Parameters
        ----------
        entries
            A page of them: each is asked for by its place.
        """
        places = [entry.place for entry in entries]
        with self._engine.begin() as connection:
            known = {
                row.place: (row.size, row.mtime_ns)
                for row in connection.execute(
                    select(files.c.place, files.c.size, files.c.mtime_ns).where(
                        files.c.place.in_(places)
                    )
                )
            }
            new = [one for one in entries if known.get(one.place) != (one.size, one.mtime_ns)]
            same = known.keys() - {one.place for one in new}
            if same:
                met = update(files).where(files.c.place.in_(same)).values(walk=walk)
                connection.execute(met)
        return new

    def put_headings(self, headings: Sequence[Heading], walk: int) -> None:
        """Write what was found out of some files; an image that is there already is a copy."""
        now = time.time()
        with self._engine.begin() as connection:
            for heading in headings:
                _put(connection, files, [_file_row(heading, connection, walk, now)])

    def end_walk(self, walk: int) -> None:
        """Forget the files that this walk did not meet; what came of their images stays.

        Where a copy outlives the file that it was a copy of, it takes its place.
        """
        with self._engine.begin() as connection:
            connection.execute(delete(files).where(files.c.walk != walk))
            one = files.alias()
            firsts = select(one.c.sop_instance_uid).where(
                one.c.sop_instance_uid == files.c.sop_instance_uid,
                one.c.synthetic == files.c.synthetic,
                one.c.standing == Standing.IMAGE,
            )
            orphans = select(func.min(files.c.place)).where(
                files.c.standing == Standing.COPY, ~firsts.exists()
            )
            orphans = orphans.group_by(files.c.sop_instance_uid, files.c.synthetic)
            connection.execute(
                update(files).where(files.c.place.in_(orphans)).values(standing=Standing.IMAGE)
            )

    def regroup(self, keys: Mapping[str, str]) -> None:
        """Give files other study keys, by their places."""
        with self._engine.begin() as connection:
            for place, key in keys.items():
                connection.execute(
                    update(files).where(files.c.place == place).values(study_key=key)
                )

    def counted(self) -> dict[Standing, int]:
        """How many files there are of each standing."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(files.c.standing, func.count()).group_by(files.c.standing)
            )
            return {Standing(standing): count for standing, count in rows}

    def answered(self) -> dict[State, int]:
        """How many images of the folder have an answer of these models, by its state."""
        counted = select(answers.c.state, func.count()).select_from(files).join(*self._join())
        counted = counted.where(files.c.standing == Standing.IMAGE).group_by(answers.c.state)
        with self._engine.connect() as connection:
            return {State(state): count for state, count in connection.execute(counted)}

    def put_answer(
        self, heading: Heading, answer: Answer, uses: Mapping[str, ModelUse]
    ) -> None:
        """Write what came of one image."""
        content = image_to_json(answer.analysis, uses) if answer.analysis else None
        row = {
            "sop_instance_uid": heading.sop_instance_uid,
            "synthetic": int(heading.synthetic),
            "models": self._models,
            "state": answer.state.value,
            "content": json.dumps(content, separators=(",", ":")) if content else "",
            "sentence": answer.sentence,
            "at_s": time.time(),
        }
        with self._engine.begin() as connection:
            _put(connection, answers, [row])

    def forget_failures(self) -> None:
        """Have the images that failed be tried again."""
        failed = (answers.c.models == self._models) & (answers.c.state == State.FAILED)
        with self._engine.begin() as connection:
            connection.execute(delete(answers).where(failed))

    def missing(self, arrived_before_s: float = float("inf")) -> Iterator[Heading]:
        """The images that these models did not answer, study by study.

        Parameters
        ----------
        arrived_before_s
            Leaves the studies out of which a file came later than this.
        """
        asked = select(files).outerjoin(*self._join()).where(answers.c.state.is_(None))
        asked = asked.where(files.c.standing == Standing.IMAGE)
        if arrived_before_s != float("inf"):
            one = files.alias()
            late = select(one.c.place).where(
                one.c.study_key == files.c.study_key, one.c.arrived_s > arrived_before_s
            )
            asked = asked.where(~late.exists())
        return (_heading(row) for row in self._pages(asked))

    def images(self) -> Iterator[Heading]:
        """All images and their copies, study by study."""
        shown = files.c.standing.in_((Standing.IMAGE, Standing.COPY))
        return (_heading(row) for row in self._pages(select(files).where(shown)))

    def problems(self) -> Iterator[Heading]:
        """The files that are no image though one would have expected it."""
        asked = select(files).where(files.c.standing == Standing.DAMAGED)
        return (_heading(row) for row in self._pages(asked))

    def studies(self) -> Iterator[ScreenedStudy]:
        """All studies with what came of their images."""
        asked = select(
            files, answers.c.state, answers.c.content, answers.c.sentence.label("told")
        ).outerjoin(*self._join())
        asked = asked.where(files.c.standing == Standing.IMAGE)
        rows = (ScreenedImage(_heading(row), _answer(row)) for row in self._pages(asked))
        for key, images in groupby(rows, key=lambda image: image.heading.study_key):
            yield ScreenedStudy(key, tuple(images))

    def _join(self) -> tuple[Table, ColumnElement[bool]]:
        return answers, and_(
            answers.c.sop_instance_uid == files.c.sop_instance_uid,
            answers.c.synthetic == files.c.synthetic,
            answers.c.models == self._models,
        )

    def _pages(self, asked: Select[tuple[object, ...]]) -> Iterator[Row[tuple[object, ...]]]:
        """Rows in the order of study and place, a page at a time: writers are not kept out."""
        asked = asked.order_by(files.c.study_key, files.c.place).limit(_PAGE)
        last: tuple[str, str] | None = None
        while True:
            page = asked
            if last is not None:
                study, place = last
                page = asked.where(
                    (files.c.study_key > study)
                    | ((files.c.study_key == study) & (files.c.place > place))
                )
            with self._engine.connect() as connection:
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < _PAGE:
                return
            last = (rows[-1].study_key, rows[-1].place)

    def _check_form(self) -> None:
        form = self.fact("form")
        if form and form != FORM:
            raise DataError(
                mark(
                    "Another version of the program wrote the ledger; choose another folder "
                    "for results."
                )
            )
        if not form:
            self.keep_fact("form", FORM)


def url_of(folder: Path) -> str:
    """The ledger that lies in a folder of results."""
    return f"sqlite:///{folder / LEDGER}"


def models_key(uses: Mapping[str, ModelUse]) -> str:
    """One name for a set of models: the same where all their answers are."""
    told = sorted((role, use.card_sha256 or use.weights_sha256) for role, use in uses.items())
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _on_connect)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # With a write-ahead log, NORMAL loses no more than the last moment at a power cut.
    connection.execute("PRAGMA synchronous = NORMAL")


def _put(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows, each in place of the one with its key."""
    keys = [column.name for column in table.primary_key]
    insert = (
        postgresql.insert(table)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(table)
    )
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _file_row(
    heading: Heading, connection: Connection, walk: int, now: float
) -> dict[str, object]:
    entry = heading.entry
    return {
        "place": entry.place,
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "standing": _standing(heading, connection).value,
        "sentence": heading.sentence,
        "sop_instance_uid": heading.sop_instance_uid,
        "study_instance_uid": heading.study_instance_uid,
        "study_key": heading.study_key,
        "patient_id": heading.patient_id,
        "study_date": heading.study_date,
        "synthetic": int(heading.synthetic),
        "rows": heading.rows,
        "columns": heading.columns,
        "frames": heading.frames,
        "walk": walk,
        "arrived_s": now,
    }


def _standing(heading: Heading, connection: Connection) -> Standing:
    if heading.standing is not Standing.IMAGE:
        return heading.standing
    other = select(files.c.place).where(
        files.c.sop_instance_uid == heading.sop_instance_uid,
        files.c.synthetic == int(heading.synthetic),
        files.c.standing == Standing.IMAGE,
        files.c.place != heading.entry.place,
    )
    there = connection.execute(other.limit(1)).first()
    return Standing.COPY if there else Standing.IMAGE


def _heading(row: Row[tuple[object, ...]]) -> Heading:
    return Heading(
        Entry(row.place, row.size, row.mtime_ns),
        Standing(row.standing),
        row.sentence,
        row.sop_instance_uid,
        row.study_instance_uid,
        row.study_key,
        row.patient_id,
        row.study_date,
        bool(row.synthetic),
        row.rows,
        row.columns,
        row.frames,
    )


def _answer(row: Row[tuple[object, ...]]) -> Answer | None:
    if row.state is None:
        return None
    analysis = image_from_json(json.loads(row.content)) if row.content else None
    return Answer(State(row.state), analysis, row.told)
