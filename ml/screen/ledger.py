"""What was found and what came of it, kept so that nothing is done twice.

One row a file, and one row an image and set of models, written as soon as it is known. A file
`ledger.sqlite` beside the results, or another database by its URL where several machines share
the work. Rows are read in pages: memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from copy import copy
from functools import partial, wraps
from itertools import groupby
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import URL, and_, delete, func, select, tuple_, update
from sqlalchemy.exc import ArgumentError, DBAPIError

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
from ml.screen.tables import (
    FORM,
    AnyText,
    answers,
    counted_up,
    engine_of,
    facts,
    files,
    later,
    make_tables,
    put,
)
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Row, Select, Table

    from ml.findings import ModelUse

LEDGER = "ledger.sqlite"
NOT_OPENED = mark("The ledger cannot be opened ({why}); choose another folder for results.")
NO_ANSWER = mark(
    "The ledger's database does not answer ({why}); see that it runs and that its URL is right."
)
_PAGE = 500
# Where several processes make the same tables, a database may fail all but one.
_OPENINGS, _PAUSE_S = 5, 0.2
Given = ParamSpec("Given")
Result = TypeVar("Result")


class Doing(Protocol):
    """Does a piece of work, until it is done."""

    def __call__(self, work: Callable[[], Result], /) -> Result:
        """What came of it."""
        ...


def _once(work: Callable[[], Result], /) -> Result:
    return work()


def _whole(
    method: Callable[Concatenate[Ledger, Given], Result],
) -> Callable[Concatenate[Ledger, Given], Result]:
    """A method that is done as `Ledger.through` was told."""

    @wraps(method)
    def done(ledger: Ledger, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return ledger._doing(partial(method, ledger, *args, **kwargs))

    return done


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

    def __init__(self, url: str | URL, models: str) -> None:
        self._models = models
        self._doing: Doing = _once
        try:
            self._engine = engine_of(url)
        except (ArgumentError, ImportError) as error:
            raise DataError(
                mark("No database is known by this URL ({why}); check it."),
                why=type(error).__name__,
                detail=str(error),
            ) from error
        for turn in range(_OPENINGS):
            try:
                self._open()
            except (DBAPIError, sqlite3.Error) as error:
                if turn < _OPENINGS - 1:
                    time.sleep(_PAUSE_S)
                    continue
                self.close()
                own = self._engine.dialect.name == "sqlite"
                raise DataError(
                    NOT_OPENED if own else NO_ANSWER,
                    why=type(getattr(error, "orig", error)).__name__,
                    detail=str(error),
                ) from error
            else:
                return

    def _open(self) -> None:
        with self._engine.begin() as connection:
            make_tables(connection, facts)
        form = self.fact("form")
        if form not in ("", FORM):
            self.close()
            raise DataError(
                mark(
                    "Another version of the program wrote the ledger; choose another folder "
                    "for results."
                )
            )
        with self._engine.begin() as connection:
            make_tables(connection, files, answers)
            put(connection, facts, [{"name": "form", "value": FORM}])

    def through(self, doing: Doing) -> Ledger:
        """The same ledger, of which everything that it does is done by a function.

        That may do it again and again: each is one transaction, and twice is as good as once.
        """
        other = copy(self)
        other._doing = doing
        return other

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @_whole
    def fact(self, name: str) -> str:
        """Something else that is kept; empty where it is not there."""
        with self._engine.connect() as connection:
            return connection.scalar(select(facts.c.value).where(facts.c.name == name)) or ""

    @_whole
    def keep_fact(self, name: str, value: str) -> None:
        """Keep something else."""
        with self._engine.begin() as connection:
            put(connection, facts, [{"name": name, "value": value}])

    @_whole
    def begin_walk(self) -> int:
        """The number of a new walk through the folder."""
        with self._engine.begin() as connection:
            return counted_up(connection, "walk")

    @_whole
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
                met = update(files).where(files.c.place.in_(same))
                connection.execute(met.values(walk=later(walk)))
        return new

    @_whole
    def put_headings(self, headings: Sequence[Heading], walk: int) -> None:
        """Write what was found out of some files; an image that is there already is a copy.

        Where that one could not be read, the new file takes its place and is tried.
        """
        if not headings:
            return
        now = time.time()
        with self._engine.begin() as connection:
            standings = _standings(headings, connection)
            rows = [
                _file_row(heading, standing, walk, now)
                for heading, standing in zip(headings, standings, strict=True)
            ]
            put(connection, files, rows)

    @_whole
    def end_walk(self, walk: int) -> None:
        """Forget the files that this walk did not meet; what came of their images stays.

        Where a copy outlives the file that it was a copy of, it takes its place; of two that
        two processes found at the same time, one becomes the copy.
        """
        one = files.alias()
        same_image = (one.c.sop_instance_uid == files.c.sop_instance_uid) & (
            one.c.synthetic == files.c.synthetic
        )
        first = select(one.c.place).where(same_image, one.c.standing == Standing.IMAGE)
        orphans = select(func.min(files.c.place)).where(
            files.c.standing == Standing.COPY, ~first.exists()
        )
        orphans = orphans.group_by(files.c.sop_instance_uid, files.c.synthetic)
        second = first.where(one.c.place < files.c.place).exists()
        with self._engine.begin() as connection:
            connection.execute(delete(files).where(files.c.walk < walk))
            connection.execute(
                update(files).where(files.c.place.in_(orphans)).values(standing=Standing.IMAGE)
            )
            connection.execute(
                update(files)
                .where(files.c.standing == Standing.IMAGE, second)
                .values(standing=Standing.COPY)
            )

    @_whole
    def regroup(self, keys: Mapping[str, str]) -> None:
        """Give files other study keys, by their places."""
        with self._engine.begin() as connection:
            for place, key in keys.items():
                connection.execute(
                    update(files).where(files.c.place == place).values(study_key=key)
                )

    @_whole
    def counted(self) -> dict[Standing, int]:
        """How many files there are of each standing."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(files.c.standing, func.count()).group_by(files.c.standing)
            )
            return {Standing(standing): count for standing, count in rows}

    @_whole
    def answered(self) -> dict[State, int]:
        """How many images of the folder have an answer of these models, by its state."""
        counted = select(answers.c.state, func.count()).select_from(files).join(*self._join())
        counted = counted.where(files.c.standing == Standing.IMAGE).group_by(answers.c.state)
        with self._engine.connect() as connection:
            return {State(state): count for state, count in connection.execute(counted)}

    @_whole
    def put_answer(
        self, heading: Heading, answer: Answer, uses: Mapping[str, ModelUse]
    ) -> None:
        """Write what came of one image."""
        said = answer.analysis
        content = image_to_json(said, uses, heat_maps=True) if said else None
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
            put(connection, answers, [row])

    @_whole
    def forget_failures(self) -> None:
        """Have the images that failed be tried again, and damaged files be looked at again."""
        failed = (answers.c.models == self._models) & (answers.c.state == State.FAILED)
        with self._engine.begin() as connection:
            connection.execute(delete(answers).where(failed))
            connection.execute(delete(files).where(files.c.standing == Standing.DAMAGED))

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

    def skipped(self, *standings: Standing) -> Iterator[Heading]:
        """The files that are passed over: all that are no image, or those of some standings."""
        asked = select(files).where(files.c.standing != Standing.IMAGE)
        if standings:
            asked = asked.where(files.c.standing.in_(standings))
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
                here = tuple_(*last, types=(AnyText(), AnyText()))
                page = asked.where(tuple_(files.c.study_key, files.c.place) > here)
            rows = self._rows(page)
            yield from rows
            if len(rows) < _PAGE:
                return
            last = (rows[-1].study_key, rows[-1].place)

    @_whole
    def _rows(self, asked: Select[tuple[object, ...]]) -> Sequence[Row[tuple[object, ...]]]:
        with self._engine.connect() as connection:
            return connection.execute(asked).all()


def url_of(folder: Path) -> URL:
    """The ledger that lies in a folder of results, whatever characters its name has."""
    return URL.create("sqlite", database=str(folder / LEDGER))


def models_key(uses: Mapping[str, ModelUse]) -> str:
    """One name for a set of models: the same where all their answers are."""
    told = sorted((role, use.card_sha256 or use.weights_sha256) for role, use in uses.items())
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _file_row(heading: Heading, standing: Standing, walk: int, now: float) -> dict[str, object]:
    entry = heading.entry
    return {
        "place": entry.place,
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "standing": standing.value,
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


def _standings(headings: Sequence[Heading], connection: Connection) -> list[Standing]:
    """What each is among those that are known and those before it."""
    images = [one for one in headings if one.standing is Standing.IMAGE]
    places = [one.entry.place for one in headings]
    known = _known_elsewhere(images, places, connection) - _failed(images, connection)
    standings: list[Standing] = []
    for heading in headings:
        key = heading.sop_instance_uid, int(heading.synthetic)
        copy = heading.standing is Standing.IMAGE and key in known
        standings.append(Standing.COPY if copy else heading.standing)
        if heading.standing is Standing.IMAGE:
            known.add(key)
    return standings


def _known_elsewhere(
    images: Sequence[Heading], places: Sequence[str], connection: Connection
) -> set[tuple[str, int]]:
    """The keys of these images that files at other places have."""
    found = connection.execute(
        select(files.c.sop_instance_uid, files.c.synthetic).where(
            files.c.sop_instance_uid.in_([one.sop_instance_uid for one in images]),
            files.c.standing == Standing.IMAGE,
            files.c.place.not_in(places),
        )
    )
    return {(row.sop_instance_uid, row.synthetic) for row in found}


def _failed(images: Sequence[Heading], connection: Connection) -> set[tuple[str, int]]:
    """The keys of these images that failed; what failed is forgotten, its file a copy now."""
    found = connection.execute(
        select(answers.c.sop_instance_uid, answers.c.synthetic)
        .where(
            answers.c.sop_instance_uid.in_([one.sop_instance_uid for one in images]),
            answers.c.state == State.FAILED,
        )
        .distinct()
    )
    keys = {(row.sop_instance_uid, row.synthetic) for row in found}
    keys &= {(one.sop_instance_uid, int(one.synthetic)) for one in images}
    for uid, synthetic in keys:
        connection.execute(
            delete(answers).where(
                answers.c.sop_instance_uid == uid,
                answers.c.synthetic == synthetic,
                answers.c.state == State.FAILED,
            )
        )
        connection.execute(
            update(files)
            .where(
                files.c.sop_instance_uid == uid,
                files.c.synthetic == synthetic,
                files.c.standing == Standing.IMAGE,
            )
            .values(standing=Standing.COPY)
        )
    return keys


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
