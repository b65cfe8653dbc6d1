"""What a column's name says of it: another word for the label, or who or what an image is."""

from __future__ import annotations

import re

from ml.manifest import EDITED_BOX
from ml.texts import mark

IS_NAME = mark("a name of an image or a patient: nearly one value each")
IS_LABEL = mark("says the label in other words, or describes the lesion")

# What `ml.synth` writes of a generated image: which one it is, and why a filter refused it.
OURS = {
    "seed": IS_NAME,
    "host": IS_NAME,
    "host_patient": IS_NAME,
    EDITED_BOX: IS_NAME,
    "reason": IS_LABEL,
}

# What is said of the lesion itself, or is another word for the label.
_LESION = (
    r"(?:lesions?|findings?|birads|patholog(?:y|ic|ical|ies)|histolog(?:y|ic|ical)|"
    r"histopatholog(?:y|ical)|assess(?:ed|ment|ments)?|abnormal(?:ity|ities)?|severity|"
    r"diagnos(?:is|es|ed|tic)|outcomes?|labels?|descriptors?|mass(?:es)?|calcs?|"
    r"(?:micro)?calcifications?|cancer(?:s|ous)?|malignan(?:t|cy|cies)|tumou?rs?|invasive|"
    r"subtlety|biops(?:y|ies|ied)|recall(?:s|ed)?|detectab(?:le|ility))"
)
# What stands beside it where no more is said than that: lesion_type, breast_birads.
_MORE = (
    r"(?:types?|subtypes?|kinds?|shapes?|margins?|distribution|distri|morphology|texture|size|"
    r"area|diameter|radius|contrast|density|mm|location|position|quadrant|depth|side|left|right|"
    r"laterality|breast|image|view|categor(?:y|ies)|cat|class|classes|classification|status|"
    r"score|grade|stage|rating|level|results?|codes?|text|comments?|notes?|desc|description|"
    r"annotations?|count|number|numbers|num|id|ids|index|name|names|date|year|overall|final|"
    r"initial|worst|max|other|single|any|all|is|has|had|with|of|in|presence|present|absent|"
    r"proven|confirmed|verified|truth|ground|true|binary|bi|roi|mask|box|path|find)"
)
# Where an image comes from, whatever else the name speaks of: cancer_center, label_source.
_ORIGIN = re.compile(
    r"cent(?:er|re)s?|sources?|hospitals?|clinics?|institut(?:e|ion)s?|scanners?|vendors?|"
    r"makers?|manufacturers?|machines?|devices?|stations?|collections?|cohorts?|datasets?|data|"
    r"countr(?:y|ies)|cit(?:y|ies)|states?|software|format|file"
)
_ONLY_LESION = re.compile(rf"(?:{_MORE}|\d)*{_LESION}(?:{_LESION}|{_MORE}|\d)*")
_OF_LESION = re.compile(_LESION)
# The last word of what counts images or patients: numbers of that kind measure nothing.
_COUNTS = re.compile(
    r"(?:.*_)?(?:id|ids|uid|uuid|guid|seed|patient|accession|number|num|nr|no|index|hash|sha|key|"
    r"serial|name|file|filename|path|record|case|exam|study|series|image|instance|host|mrn)|"
    r".*(?:patient|study|series|image|instance|case|exam|record|row|subject|person|file|accession)"
    r"(?:u?id|number|num|nr|no|index|name)"
)


def says_label(name: str) -> bool:
    """Whether a name says the label in other words, or describes the lesion, and no more.

    By all of its words, so that neither Massachusetts nor recalculated does; with or without
    anything between them: ``mass_shape``, ``LesionType``, ``breast_birads``.
    """
    return _ONLY_LESION.fullmatch("".join(_words(name))) is not None


def speaks_of_lesion(name: str) -> bool:
    """Whether a name has a word of the lesion beside others that say nothing of an origin.

    Nobody can tell by it what the column says: ``cancer_site`` may be a place in the breast, or
    where the image comes from.
    """
    words = _words(name)
    if any(map(_ORIGIN.fullmatch, words)):
        return False
    return any(map(_OF_LESION.fullmatch, words))


def counts_images(name: str) -> bool:
    """Whether numbers under this name tell images or patients apart, and measure nothing."""
    return _COUNTS.fullmatch("_".join(_words(name))) is not None


def _words(name: str) -> list[str]:
    """In small letters, BI-RADS one word: ``PatientName`` has two."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = re.sub(r"bi[\W_]*rads", "birads", apart.lower())
    return re.findall(r"[a-z]+|\d+", plain)
