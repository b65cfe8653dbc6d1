"""What is asked of the generator, as values and as a sentence; one table both ways.

    a alpha mammogram in MLO view with medium area and high density, left breast,
    with a spiculated mass in the upper outer quadrant

The words are MAM-E's (Montoya-del-Angel 2024), who knew the area for one vendor only and the
density for the other only; here every image that teaches has all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Area(Enum):
    """What the breast covers: the thirds of `ml.synth.teaching`, in cm2 on the detector."""

    SMALL = "small"
    MEDIUM = "medium"
    BIG = "big"


class LesionKind(Enum):
    """What can be put into a generated breast."""

    MASS = "mass"
    SPICULATED_MASS = "spiculated mass"
    CALCIFICATION_CLUSTER = "calcification cluster"


class Quadrant(Enum):
    """Where in the breast; a view shows one of its two words (CC the side, MLO the height)."""

    UPPER_OUTER = "upper outer"
    UPPER_INNER = "upper inner"
    LOWER_OUTER = "lower outer"
    LOWER_INNER = "lower inner"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One image that is asked for.

    Attributes
    ----------
    vendor
        A word of the pack: lower case letters, digits and hyphens.
    lesion, quadrant
        Both, or neither for a healthy breast.
    """

    vendor: str
    view: ViewPosition
    area: Area
    density: BreastDensity
    laterality: Laterality
    lesion: LesionKind | None = None
    quadrant: Quadrant | None = None

    def __post_init__(self) -> None:
        if (self.lesion is None) != (self.quadrant is None):
            raise ValueError("a lesion has a place, and a place a lesion")


WORDS: Mapping[str, Mapping[str, Enum]] = {
    "view": {"CC": ViewPosition.CC, "MLO": ViewPosition.MLO},
    "area": {area.value: area for area in Area},
    "density": {
        "very low": BreastDensity.A,
        "low": BreastDensity.B,
        "high": BreastDensity.C,
        "very high": BreastDensity.D,
    },
    "laterality": {"left": Laterality.LEFT, "right": Laterality.RIGHT},
    "lesion": {kind.value: kind for kind in LesionKind},
    "quadrant": {place.value: place for place in Quadrant},
}
HEALTHY = (
    "a {vendor} mammogram in {view} view with {area} area and {density} density, "
    "{laterality} breast"
)
LESION = ", with a {lesion} in the {quadrant} quadrant"
SLOT = re.compile(r"\{(\w+)\}")


def prompt_text(prompt: Prompt) -> str:
    """The sentence of a prompt; `read_prompt` reads it back."""
    grammar = HEALTHY + (LESION if prompt.lesion else "")
    words = {field.name: getattr(prompt, field.name) for field in fields(prompt)}
    return SLOT.sub(lambda slot: _word(slot[1], words[slot[1]]), grammar)


def read_prompt(text: str, vendors: Sequence[str]) -> Prompt:
    """The prompt of a sentence; spaces and case do not matter.

    Parameters
    ----------
    vendors
        The words that the pack has learned.

    Raises
    ------
    DataError
        Where it is not of the grammar; it names the first place and what may stand there.
    """
    rest = " ".join(text.split())
    found: dict[str, object] = {}
    for grammar in (HEALTHY, LESION):
        if found and not rest:
            break
        for literal, slot in _pieces(grammar):
            rest = _after(rest, (literal,), text)
            if slot:
                choices = {name: name for name in vendors} if slot == "vendor" else WORDS[slot]
                # The longest first: "low" is also the end of "very low".
                word = _begins(rest, sorted(choices, key=len, reverse=True), text)
                found[slot] = choices[word]
                rest = rest[len(word) :]
    if rest:
        raise _unreadable(text, rest, ())
    return Prompt(**found)  # type: ignore[arg-type]


def words_of(vendors: Sequence[str]) -> tuple[str, ...]:
    """Every word and sign that a sentence may hold, in lower case."""
    texts = (HEALTHY, LESION, *vendors, *(word for words in WORDS.values() for word in words))
    bare = SLOT.sub(" ", " ".join(texts)).lower()
    return tuple(sorted(set(re.findall(r"[a-z]+|[0-9]|[^\s\w]", bare))))


def _word(slot: str, value: object) -> str:
    if slot == "vendor":
        return str(value)
    return next(word for word, known in WORDS[slot].items() if known is value)


def _pieces(grammar: str) -> Iterator[tuple[str, str]]:
    """The grammar's literals, each with the slot that follows it; the last may have none."""
    parts = SLOT.split(grammar)
    yield from zip(parts[::2], (*parts[1::2], ""), strict=True)


def _after(rest: str, words: Sequence[str], text: str) -> str:
    return rest[len(_begins(rest, words, text)) :]


def _begins(rest: str, words: Sequence[str], text: str) -> str:
    for word in words:
        if rest.lower().startswith(word.lower()):
            return word
    raise _unreadable(text, rest, words)


def _unreadable(text: str, rest: str, words: Sequence[str]) -> DataError:
    if not words:
        return DataError(
            mark("The prompt should end before “{rest}”; take that away."), rest=rest.strip()
        )
    read = " ".join(text.split())
    return DataError(
        mark("The prompt cannot be read after “{read}”: write {words} there."),
        read=read[: len(read) - len(rest)].strip(),
        words=", ".join(f"“{word.strip(' ,')}”" for word in words),
    )
