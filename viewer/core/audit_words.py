"""What a window says of an audit: in words of a reader, the measure behind in a tool tip.

The checks and their own sentences are `ml.audit`'s. A check is known by the template of its
name; what is not known here is said as the audit says it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ml.audit.report import Sentence, Verdict
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.audit.report import AuditReport, Check, Figure

# The names of checks, as `ml.audit.table`, `ml.audit.probes` and `ml.audit.leaks` have them.
COLUMN, COLUMNS = "{question}, by {column}", "{question}, by every other column"
ONE_SOURCE = "{question}: both answers from every source"
TWO_ANSWERS = "Two answers to tell apart"
BLIND, CODEC = "{question}, lesions hidden", "{question}, all images through one codec"
WITHIN, ACROSS = "{question}, within each source", "{question}, told by the other sources"
SOURCE = "{question}: the source, told from pixels"
PATIENTS, HELD_OUT = "Patients in one split each", "No generated image to test on"
CHILDREN = "No synthetic child of a test patient"
AREA = "area under the ROC curve"
# What columns of a table and words of a header are called.
COLUMN_WORDS: Mapping[str, str] = {
    "laterality": mark("the side"),
    "view": mark("the view"),
    "density": mark("the density of the breast"),
    "source": mark("the source (real or synthetic)"),
    "split": mark("the purpose (training, validation or testing)"),
    "data_set": mark("the data set"),
    "vendor": mark("the vendor"),
    "prompt": mark("the sentence that asked for it"),
    "header: kind of file": mark("the kind of file"),
    "header: file name ends with": mark("the end of the file's name"),
    "header: transfer syntax": mark("the compression of the file"),
    "header: pixel spacing": mark("the size of a pixel"),
    "header: bits stored": mark("the depth of gray"),
    "header: bits allocated": mark("the depth of gray"),
    "header: inverted": mark("whether grays are inverted"),
    "header: rows": mark("the height of the image"),
    "header: columns": mark("the width of the image"),
    "header: compressed with loss": mark("whether compression lost something"),
    "header: intent": mark("whether it is for presentation"),
    "header: maker": mark("the maker of the device"),
    "header: institution": mark("the institution"),
    "header: year": mark("the year"),
    "header: synthetic": mark("whether the file calls itself synthetic"),
}
# Cramer's V above which an answer goes with something, and from which on closely.
IN_PART, CLOSELY = 0.3, 0.6
_REASONS: Mapping[tuple[str, Verdict], str] = {
    (COLUMN, Verdict.RED): mark(
        "{column} goes closely with the answer ({kind} have mostly “{word}”): a model could "
        "look at that in place of the breast."
    ),
    (COLUMN, Verdict.AMBER): mark(
        "{column} goes in part with the answer ({kind} have mostly “{word}”): a model could "
        "look at that in place of the breast."
    ),
    (COLUMNS, Verdict.GREEN): mark(
        "Nothing else that is known of the images goes with the answer (looked at: {count})."
    ),
    (BLIND, Verdict.RED): mark(
        "With every lesion hidden the answer is still told from the rest of the image: in "
        "{area} of 100 pairs the right one is picked, where guessing seldom passes {limit}."
    ),
    (BLIND, Verdict.GREEN): mark(
        "With every lesion hidden the answer is told no better than by guessing: in {area} of "
        "100 pairs the right one is picked, and guessing may reach {limit}."
    ),
    (SOURCE, Verdict.RED): mark(
        "Which source an image is from can be told by its look (right in {area} of 100 pairs), "
        "and the sources differ in their answers: a model could learn the source."
    ),
    (SOURCE, Verdict.GREEN): mark(
        "The sources do not give the answer away: they cannot be told by their look, or hardly "
        "differ in their answers."
    ),
    (CODEC, Verdict.RED): mark(
        "Also with all images in one size, depth and compression the answer is told with "
        "lesions hidden (right in {area} of 100 pairs): more than the file's form differs."
    ),
    (CODEC, Verdict.AMBER): mark(
        "With all images in one size, depth and compression the answer is no longer told with "
        "lesions hidden (right in {area} of 100 pairs): the file's form told it."
    ),
}
_WITHIN = mark(
    "The answer is told better over all sources (right in {pooled} of 100 pairs) than within "
    "them ({within}): part of it is the source."
)
_SHARES = ("area", "limit", "pooled", "within")


class Deed(Enum):
    """What a window can do about a finding.

    PLAN: have the studio plan images. USE: add images that were generated. MEND: write a
    mended copy of the tables.
    """

    PLAN = "plan"
    USE = "use"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Cure:
    """What is to be done about one or more findings, and which of it a button does."""

    text: str
    deeds: tuple[Deed, ...]


# What a plan of the studio shares out alike.
PLANNED = frozenset({"laterality", "view", "density", "source", "vendor", "prompt"})


def cures_of(audit: AuditReport) -> tuple[Cure, ...]:
    """All cures, those of red findings first, each once."""
    found: dict[str, list[Deed]] = {}
    for verdict in (Verdict.RED, Verdict.AMBER):
        for check in audit.of(verdict):
            if check.cure:
                deeds = found.setdefault(str(_worded(check.cure)), [])
                deeds += [deed for deed in deeds_of(check) if deed not in deeds]
    return tuple(Cure(text, tuple(deeds)) for text, deeds in found.items())


def deeds_of(check: Check) -> tuple[Deed, ...]:
    """What a window can do about a finding; nothing where only a person can."""
    name = check.name.template
    if name in (PATIENTS, HELD_OUT, CHILDREN):
        return (Deed.MEND,)
    column = dict(check.name.values).get("column")
    # A red one has patients enough: then something else has to be found.
    short = name == BLIND and check.verdict is Verdict.AMBER
    generated = short or name in (ONE_SOURCE, TWO_ANSWERS, SOURCE, WITHIN)
    if generated or (name == COLUMN and column in PLANNED):
        return (Deed.PLAN, Deed.USE)
    return ()


def name_of(check: Check) -> str:
    """What was looked at."""
    return str(_worded(check.name))


def reason_of(check: Check) -> str:
    """What was found; as the audit says it where nothing plainer is known."""
    values = dict(check.reason.values)
    template = _REASONS.get((check.name.template, check.verdict), "")
    if check.name.template == WITHIN and {"pooled", "within"} <= values.keys():
        template = _WITHIN
    told = _worded(Sentence(template, tuple(_whole(values).items())))
    try:
        said = str(told)
    except (KeyError, IndexError):
        # The audit says another thing under this name.
        said = ""
    return f"{said[:1].upper()}{said[1:]}" if said else str(check.reason)


def figure_of(check: Check) -> tuple[str, str]:
    """The first figure in words, and what it is: for a tool tip.

    Empty where there is none, or where the reason says it.
    """
    name = check.name.template
    if not check.figures or name == ONE_SOURCE:
        return "", ""
    first = check.figures[0]
    if name in (COLUMN, COLUMNS, SOURCE):
        return _closeness(first)
    if name == ACROSS or first.name in (AREA, "pooled"):
        return _pairs(first)
    counted = float(first.value).is_integer() and first.value != 1
    return f"{translate(first.name)} {first.value:{'.0f' if counted else '.2f'}}", ""


def _closeness(figure: Figure) -> tuple[str, str]:
    word = translate("hardly goes with it")
    if figure.value > IN_PART:
        word = translate("goes with it in part")
    if figure.value > CLOSELY:
        word = translate("goes with it closely")
    tip = translate("Cramér's V {value}: 0 is not at all, 1 is entirely.")
    return word, tip.format(value=f"{figure.value:.2f}")


def _pairs(figure: Figure) -> tuple[str, str]:
    text = translate("right in {count} of 100 pairs").format(count=_of_100(figure.value))
    tip = translate(
        "Of two images with different answers, how often the right one is picked; guessing is "
        "right in 50 of 100. Area under the ROC curve: {value}."
    )
    return text, tip.format(value=f"{figure.value:.2f}")


def _worded(sentence: Sentence) -> Sentence:
    """The same with columns called what a reader calls them."""
    values = dict(sentence.values)
    if "column" in values:
        values["column"] = COLUMN_WORDS.get(values["column"], f"“{values['column']}”")
    return Sentence(sentence.template, tuple(values.items()))


def _whole(values: Mapping[str, str]) -> dict[str, str]:
    """The values with shares of pairs as whole numbers of 100."""
    told = dict(values)
    for name in _SHARES:
        with suppress(KeyError, ValueError):
            told[name] = str(_of_100(float(values[name])))
    return told


def _of_100(share: float) -> int:
    return round(100 * share) if share == share else 50


# Names of a card's and a comparison's figures, as `ml.evaluate.figures` has them.
_FIGURES: Mapping[str, str] = {
    "sensitivity": mark("lesions found"),
    "AUC, lesion": mark("with and without a lesion told apart"),
    "AUC, malignancy": mark("malignant and benign told apart"),
    "accuracy, lesion": mark("images called rightly"),
    "density, exact agreement": mark("density graded alike"),
    "density, weighted kappa": mark("agreement on density, beyond chance"),
}
_MARKS = ("sensitivity at ", " false marks per lesion-free image")
_SEEN = ", lesions of d' "
_AREA, _OF_IMAGES = "AUC", ("sensitivity", "accuracy", "density, exact")


def figure_name(name: str) -> str:
    """What a figure of a model's card measures, in words."""
    plain, seen, _ = name.partition(_SEEN)
    begin, end = _MARKS
    if plain.startswith(begin) and plain.endswith(end):
        rate = plain.removeprefix(begin).removesuffix(end)
        words = translate("lesions found at {rate} false marks on an image without any")
        words = words.format(rate=rate)
    else:
        words = translate(_FIGURES.get(plain, plain))
    if seen:
        return translate("{what} (only lesions that can well be seen)").format(what=words)
    return words


def figure_value(name: str, value: float) -> str:
    """A figure's value: an area under a curve as pairs, a share of lesions as a percentage."""
    number = figure_number(name, value)
    if name.startswith(_AREA):
        return translate("right in {count} of 100 pairs").format(count=number)
    return number


def figure_number(name: str, value: float) -> str:
    """The number alone: for an interval."""
    if name.startswith(_AREA):
        return str(_of_100(value))
    return f"{100 * value:.0f} %" if name.startswith(_OF_IMAGES) else f"{value:.2f}"
