"""The user's own models: every version that was trained here, and which is in use or in shadow.

    models/
        history.jsonl                 what happened, a line each, only ever added to
        detector/own-detector@3/      the packs, as they were when they were added

Nothing is ever overwritten: a version that was replaced can be gone back to, and what was
decided, by whom and on which figures, stays.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from ml.errors import ModelError
from ml.files import written_into
from ml.registry import CARD, read_pack, write_card
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)
HISTORY = "history.jsonl"
ADDED, PROMOTED, WENT_BACK, TESTED = "added", "promoted", "went back", "tested"
SHADOWED, UNSHADOWED = "in shadow", "out of shadow"
_ENDS_SHADOW = (UNSHADOWED, PROMOTED, WENT_BACK)
# The models that come with the program are what there was before the first promotion.
SHIPPED = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """How a version came about.

    Attributes
    ----------
    data_sha256
        Of the tables that taught it, as they were then; empty where nobody noted it.
    code
        Version of the program that trained it, with the commit where one is known.
    configuration
        The order and the plan of its training.
    audit
        Verdict on the data when they taught it: ``"green"``, ``"amber"`` or ``"red"``; empty
        where there was none.
    override
        The written reason why it was trained all the same.
    """

    data_sha256: str
    code: str
    configuration: Mapping[str, object] = field(default_factory=dict[str, object])
    audit: str = ""
    override: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one role's model.

    Attributes
    ----------
    key
        ``name@version``.
    parent
        Key of the version, or of the shipped model, whose weights it began with; or empty.
    added
        ISO 8601, UTC.
    """

    role: str
    key: str
    parent: str
    added: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Shadow:
    """A version that runs beside the one in use, and is not shown.

    Attributes
    ----------
    since
        ISO 8601, UTC.
    """

    role: str
    key: str
    since: str
    who: str


@dataclass(frozen=True, slots=True)
class FrozenPart:
    """A test part: what it is known by, and who is in it.

    Attributes
    ----------
    sha256
        Of all its patients together.
    patients
        `ml.hashed.names_sha256` of each.
    """

    sha256: str
    patients: frozenset[str]


class Versions:
    """The versions below one folder.

    Parameters
    ----------
    folder
        Made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, trained: Path, origin: Origin) -> Version:
        """Take a trained pack in, under the next number of its name.

        Raises
        ------
        WeightsMissingError, WeightsCorruptError, ModelError
            Where it is no whole pack.
        """
        pack = read_pack(trained)
        role, name = pack.card.role, pack.card.name
        card = replace(pack.card, version=str(self._free_number(role, name)))
        version = Version(role, card.key, (pack.card.parents or ("",))[0], _now(), origin)
        place = self.place(role, card.key)
        unfinished = place.with_name(f"{place.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for file in card.files:
            shutil.copyfile(trained / file, unfinished / file)
        write_card(unfinished, card)
        # What holds no card is no pack: a crash left it.
        shutil.rmtree(place, ignore_errors=True)
        unfinished.rename(place)
        self._note(ADDED, **asdict(version))
        return version

    def _free_number(self, role: str, name: str) -> int:
        """The first that no version has, nor any pack whose line in the history is lost."""
        taken = {one.key for one in self.all(role)}
        number = 1
        while f"{name}@{number}" in taken or self._is_there(role, f"{name}@{number}"):
            number += 1
        return number

    def _is_there(self, role: str, key: str) -> bool:
        return (self.place(role, key) / CARD).exists()

    def all(self, role: str) -> tuple[Version, ...]:
        """Every version of a role, the oldest first."""
        return tuple(
            Version(
                role,
                str(line["key"]),
                str(line["parent"]),
                str(line["added"]),
                Origin(**cast("Mapping[str, str]", line["origin"])),  # type: ignore[arg-type]
            )
            for line in self._of(role)
            if line["event"] == ADDED
        )

    def place(self, role: str, key: str) -> Path:
        """Where a version's pack lies."""
        return self.folder / role / key

    def live(self, role: str) -> str:
        """Key of the version in use; `SHIPPED` where it is the program's own."""
        return self._line_of(role)[-1]

    def live_pack(self, role: str) -> Path | None:
        """The folder of the version in use; None for the program's own.

        Raises
        ------
        ModelError
            Where it is not there any more.
        """
        key = self.live(role)
        return None if key == SHIPPED else self.pack(role, key)

    def pack(self, role: str, key: str) -> Path:
        """The folder of a version.

        Raises
        ------
        ModelError
            Where it is not there any more.
        """
        if not (self.place(role, key) / CARD).is_file():
            raise _gone(key)
        return self.place(role, key)

    def promote(self, role: str, key: str, who: str, decision: Mapping[str, object]) -> None:
        """Put a version into use.

        Parameters
        ----------
        who
            The reader's name.
        decision
            What the gate said, as JSON takes it.

        Raises
        ------
        ModelError
            Where there is no such version, it is in use already, or its pack is damaged.
        """
        if key not in {one.key for one in self.all(role)}:
            raise _gone(key)
        self.refuse_live(role, key)
        read_pack(self.place(role, key))
        self._note(PROMOTED, role=role, key=key, who=who, when=_now(), decision=decision)

    def refuse_live(self, role: str, key: str) -> None:
        """Going back from a version that was put into use twice would lead to itself.

        Raises
        ------
        ModelError
            Where the version is in use.
        """
        if key == self.live(role):
            raise ModelError(mark("The model {key} is in use already."), key=key)

    def go_back(self, role: str, who: str) -> str:
        """Use again what was in use before; its key, or `SHIPPED`.

        Raises
        ------
        ModelError
            Where the program's own is in use already.
        """
        line = self._line_of(role)
        if len(line) == 1:
            raise ModelError(
                mark(
                    "The model that comes with the program is in use; there is none before it."
                )
            )
        self._note(WENT_BACK, role=role, key=line[-2], who=who, when=_now())
        return line[-2]

    def shadow(self, role: str) -> Shadow | None:
        """The version of a role that runs in shadow; what comes into use ends to be one."""
        found: Shadow | None = None
        for event in self._of(role):
            kind, key = event["event"], str(event.get("key", ""))
            if kind == SHADOWED:
                found = Shadow(role, key, str(event["when"]), str(event["who"]))
            elif found is not None and kind in _ENDS_SHADOW and key == found.key:
                found = None
        return found

    def put_in_shadow(self, role: str, key: str, who: str) -> None:
        """Have a version run in shadow, in place of the one that did.

        Raises
        ------
        ModelError
            Where there is no such version, its pack is damaged, or it is in use.
        """
        if key not in {one.key for one in self.all(role)}:
            raise _gone(key)
        if key == self.live(role):
            raise ModelError(
                mark("The model {key} is in use: it needs no shadow of its own."), key=key
            )
        read_pack(self.place(role, key))
        self._note(SHADOWED, role=role, key=key, who=who, when=_now())

    def end_shadow(self, role: str, who: str) -> str:
        """Have no version of a role run in shadow any more; the key of the one that did.

        Raises
        ------
        ModelError
            Where none does.
        """
        shadow = self.shadow(role)
        if shadow is None:
            raise ModelError(mark("No model for the role {role} runs in shadow."), role=role)
        self._note(UNSHADOWED, role=role, key=shadow.key, who=who, when=_now())
        return shadow.key

    def test(self, role: str, key: str, part: FrozenPart) -> int:
        """Note that a test part is asked, and say for the how manieth time.

        Parameters
        ----------
        key
            Of the version that asks it, or the name of a training that is none yet.
        """
        asked = {"part_sha256": part.sha256, "patients": sorted(part.patients)}
        self._note(TESTED, role=role, key=key, when=_now(), **asked)
        return self.tests(part)

    def tests(self, part: FrozenPart) -> int:
        """How often a test part was asked so far, of whatever version.

        As often as the woman in it who was asked most: one who is added, or left out, makes
        no new part of the others. A history of before there were lists of patients names only
        the sums of parts; who was in one is known where it was asked again since, or is now.
        """
        known = {part.sha256: part.patients}
        asked = [line for line in self._lines() if line.get("event") == TESTED]
        for line in asked:
            if "patients" in line:
                known[str(line["part_sha256"])] = frozenset(cast("list[str]", line["patients"]))
        uses = Counter(
            woman
            for line in asked
            for woman in known.get(str(line.get("part_sha256")), frozenset())
        )
        return max((uses[woman] for woman in part.patients), default=0)

    def _line_of(self, role: str) -> list[str]:
        """What is in use, below it what was before: going back takes the last one off."""
        line = [SHIPPED]
        for event in self._of(role):
            if event["event"] == PROMOTED:
                line.append(str(event["key"]))
            elif event["event"] == WENT_BACK and len(line) > 1:
                line.pop()
        return line

    def _of(self, role: str) -> Iterator[Mapping[str, object]]:
        return (line for line in self._lines() if line.get("role") == role)

    def _lines(self) -> Iterator[Mapping[str, object]]:
        path = self.folder / HISTORY
        if not path.exists():
            return
        for line in path.read_bytes().split(b"\n"):
            try:
                yield json.loads(line or b"{}")
            except ValueError:
                # Torn by a crash: what it was to say never happened.
                log.warning("a torn line in the history of the models was left out")

    def _note(self, event: str, **content: object) -> None:
        """Add a line, on the disk before anything else happens."""
        with written_into(self.folder), (self.folder / HISTORY).open("ab") as history:
            # A line of its own even after one that was torn.
            history.write(b"\n" + json.dumps({"event": event, **content}).encode() + b"\n")
            history.flush()
            os.fsync(history.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _gone(key: str) -> ModelError:
    return ModelError(
        mark("The model {key} is not among the versions any more; choose another one."), key=key
    )
