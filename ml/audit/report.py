"""What an audit says: checks with a verdict, a reason, a cure and figures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, TypedDict

from ml.errors import DataError
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = 1
NAN = float("nan")


class Verdict(Enum):
    """GREEN: nothing against it. AMBER: a person looks. RED: no training without a reason."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_ORDER = tuple(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; GREEN of none."""
    return max(verdicts, key=_ORDER.index, default=Verdict.GREEN)


class SentenceJson(TypedDict):
    """A sentence as a report holds it: what it says in English, and of what it is made."""

    text: str
    template: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A marked sentence and what its ``{names}`` stand for, so that it can be translated.

    A value that is a marked text itself is translated, too.
    """

    template: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(template: str, **values: object) -> Sentence:
        """Make one; values are shown as `str` shows them."""
        return Sentence(template, tuple((name, str(value)) for name, value in values.items()))

    def __str__(self) -> str:
        told = {name: translate(value) for name, value in self.values}
        return translate(self.template).format(**told)

    def __bool__(self) -> bool:
        return bool(self.template)

    def to_json(self) -> SentenceJson:
        """As a report holds it."""
        values = dict(self.values)
        return {
            "text": self.template.format(**values),
            "template": self.template,
            "values": values,
        }

    @staticmethod
    def from_json(kept: SentenceJson) -> Sentence:
        """Back from a report."""
        return Sentence.of(kept["template"], **kept["values"])


class FigureJson(TypedDict):
    """A figure as a report holds it; null for NaN, which JSON does not know."""

    name: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; NaN where there is none."""

    name: str
    value: float
    low: float = NAN
    high: float = NAN

    def to_json(self) -> FigureJson:
        """As a report holds it, rounded."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
        }

    @staticmethod
    def from_json(kept: FigureJson) -> Figure:
        """Back from a report."""
        value, low, high = (
            NAN if number is None else number
            for number in (kept["value"], kept["low"], kept["high"])
        )
        return Figure(kept["name"], value, low, high)


class CheckJson(TypedDict):
    """A check as a report holds it."""

    name: str
    verdict: str
    reason: SentenceJson
    cure: SentenceJson
    figures: list[FigureJson]
    chance: list[float]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        A marked text. The table's columns have a check each: "label and column: vendor".
    reason
        One sentence: what was found.
    cure
        One sentence: what to do. Empty where nothing is to be done.
    chance
        What shuffled answers reach, where the first of the figures is to be seen beside that.
    """

    name: Sentence
    verdict: Verdict
    reason: Sentence
    cure: Sentence = field(default_factory=Sentence)
    figures: tuple[Figure, ...] = ()
    chance: tuple[float, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As a report holds it."""
        return {
            "name": self.name.to_json(),
            "verdict": self.verdict.value,
            "reason": self.reason.to_json(),
            "cure": self.cure.to_json(),
            "figures": [figure.to_json() for figure in self.figures],
            "chance": [round(reached, 4) for reached in self.chance],
        }

    @staticmethod
    def from_json(kept: Mapping[str, object]) -> Check:
        """Back from a report; raises what a report that is none raises."""
        figures = kept["figures"]
        return Check(
            Sentence.from_json(kept["name"]),  # type: ignore[arg-type]
            Verdict(kept["verdict"]),
            Sentence.from_json(kept["reason"]),  # type: ignore[arg-type]
            Sentence.from_json(kept["cure"]),  # type: ignore[arg-type]
            tuple(map(Figure.from_json, figures)),  # type: ignore[arg-type]
            tuple(map(float, kept.get("chance", ()))),  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All checks of one data set.

    Attributes
    ----------
    data
        The folder's name.
    tables
        The sha256 of each table that was read, by its name: of what this was said.
    files
        `ml.audit.command.files_of` the images that were looked at: of what this was said, too.
        Empty where nobody noted it.
    images, patients
        How many the manifest lists.
    override
        Why somebody trains in spite of RED; empty where nobody does. It changes no verdict,
        and stands on the card of every model that is trained on the data.
    """

    data: str
    images: int
    patients: int
    checks: tuple[Check, ...]
    tables: Mapping[str, str] = field(default_factory=dict[str, str])
    override: str = ""
    files: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all checks, whether it was overridden or not."""
        return worst(check.verdict for check in self.checks)

    @property
    def allows_training(self) -> bool:
        """Nothing is RED, or somebody wrote down why it may be."""
        return self.verdict is not Verdict.RED or bool(self.override)

    def of(self, verdict: Verdict) -> tuple[Check, ...]:
        """The checks with this verdict."""
        return tuple(check for check in self.checks if check.verdict is verdict)

    def overridden(self, reason: str) -> AuditReport:
        """The same with a written reason.

        Raises
        ------
        DataError
            Where the reason says nothing.
        """
        if len(reason.split()) < 2:
            raise DataError(
                mark(
                    "Say in a sentence why the data may be used; it stays on the model's card."
                )
            )
        return replace(self, override=" ".join(reason.split()))

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; `from_json` gives an equal report, its figures rounded."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.value,
            "override": self.override,
            "data": self.data,
            "tables": dict(self.tables),
            "files": self.files,
            "images": self.images,
            "patients": self.patients,
            "checks": [check.to_json() for check in self.checks],
        }

    @staticmethod
    def from_json(kept: Mapping[str, object]) -> AuditReport:
        """Back from JSON.

        Raises
        ------
        DataError
            Where it is no report of this form.
        """
        try:
            return AuditReport(
                data=str(kept["data"]),
                images=int(kept["images"]),  # type: ignore[call-overload]
                patients=int(kept["patients"]),  # type: ignore[call-overload]
                checks=tuple(map(Check.from_json, kept["checks"])),  # type: ignore[call-overload]
                tables={str(k): str(v) for k, v in kept["tables"].items()},  # type: ignore[attr-defined]
                override=str(kept["override"]),
                # Reports of before there was this have none.
                files=str(kept.get("files", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                mark("That is no report of an audit; run the audit again."), detail=repr(error)
            ) from error


def _rounded(value: float) -> float | None:
    return round(value, 4) if isfinite(value) else None
