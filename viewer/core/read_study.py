"""One study that was read: all that the library keeps of the reader's word on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from viewer.core.decision import (
    Circumstances,
    Outcome,
    Proof,
    last_words,
    outcome_of,
    with_knowledge,
)
from viewer.core.reading import SIDES
from viewer.core.state import Impression, Reading

if TYPE_CHECKING:
    from ml.mammo.codes import Laterality
    from viewer.core.decision import AssessmentCategory, Decision, Standing, Truth

    # Category; how it is known and what it was; the date; the months of a follow-up.
    KnownFields = tuple[AssessmentCategory | None, tuple[Proof, Truth] | None, str, int | None]

# No UID begins so (`viewer.qt.memory` files a study that shows nobody under it).
SYNTHETIC = "synthetic:"
# A shorter follow-up says nothing for sure: a cancer that is there would show within a year.
LEAST_MONTHS = 12


class Status(StrEnum):
    """Where a study stands with the reader."""

    UNREAD = "unread"
    READ = "read"
    RECALLED = "recalled"


def status_of(reading: Reading, outcomes: tuple[Outcome, ...]) -> Status:
    """Where a study stands by what was said of it: a breast's latest outcome counts.

    What the reader only looked at, and said nothing of, is unread.
    """
    if any(latest.recall for side in SIDES if (latest := outcome_of(outcomes, side))):
        return Status.RECALLED
    spoken = (reading.revealed_at, reading.before, reading.after, outcomes)
    return Status.READ if any(spoken) else Status.UNREAD


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study, and what was said of it.

    Attributes
    ----------
    uid
        Its name in the library.
    label, path
        As in the list of recent studies; empty where it was forgotten.
    reading, reader
        The blind first read, and by whom.
    decisions, outcomes
        The whole history, the oldest first.
    """

    uid: str
    label: str = ""
    path: str = ""
    reading: Reading = field(default_factory=Reading)
    reader: str = ""
    decisions: tuple[Decision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether it shows nobody."""
        return self.uid.startswith(SYNTHETIC)

    @property
    def said(self) -> bool:
        """Whether the reader said anything of it."""
        spoken = (self.decisions, self.outcomes, self.reading.before, self.reading.after)
        return any(spoken)

    @property
    def seen(self) -> bool:
        """Whether the machine's marks could be seen at any time, as far as is known."""
        said = (*self.decisions, *self.outcomes)
        shown = self.reading.seen_before or bool(self.reading.revealed_at)
        return shown or any(each.circumstances.marks_seen for each in said)

    @property
    def read_at(self) -> str:
        """When she first said anything of a breast, ISO 8601 UTC; empty where that is unknown.

        What was decided on single marks counts where nothing was said of a breast.
        """
        words = self.outcomes or self.decisions
        return words[0].circumstances.at if words else self.reading.revealed_at

    @property
    def read_by(self) -> str:
        """Who said that."""
        words = self.outcomes or self.decisions
        return words[0].circumstances.reader if words else self.reader

    def breast(self, side: Laterality) -> Outcome | None:
        """What holds of a breast; None where nothing was said.

        An impression of the blind first read counts where no recall stands in an outcome.
        """
        outcome = outcome_of(self.outcomes, side)
        impression = self.reading.after.get(side) or self.reading.before.get(side)
        if impression is None or (outcome is not None and outcome.recall is not None):
            return outcome
        recall = impression is Impression.RECALL
        return replace(outcome or Outcome(side, self._unsigned()), recall=recall)

    def breasts(self) -> tuple[Outcome, ...]:
        """What holds of each breast of which something was said, right first."""
        known = (self.breast(side) for side in SIDES)
        return tuple(each for each in known if each is not None)

    def as_seen(self) -> ReadStudy:
        """The same, in which no word came before the marks were seen that an earlier one says.

        Earlier versions of the program forgot at a new start that they had been.
        """
        said = [each.circumstances for each in (*self.decisions, *self.outcomes)]
        first = min((each.at for each in said if each.marks_seen), default="")
        if not first:
            return self
        decisions = tuple(
            replace(each, circumstances=_since(each.circumstances, first))
            for each in self.decisions
        )
        outcomes = tuple(
            replace(each, circumstances=_since(each.circumstances, first))
            for each in self.outcomes
        )
        return replace(self, decisions=decisions, outcomes=outcomes)

    def standings(self) -> dict[Standing, int]:
        """How many marks stand how."""
        counted: dict[Standing, int] = {}
        for word in last_words(self.decisions).values():
            counted[word.standing] = counted.get(word.standing, 0) + 1
        return counted

    def _unsigned(self) -> Circumstances:
        at = self.reading.revealed_at
        seen = self.reading.seen_before or bool(at)
        return Circumstances(self.reader, at, bool(at), seen, self.synthetic)


def _since(about: Circumstances, first_seen: str) -> Circumstances:
    return replace(about, marks_seen=about.marks_seen or about.at >= first_seen)


def is_established(outcome: Outcome | None) -> bool:
    """Whether it is known what a breast had: by pathology, or by a long enough follow-up."""
    if outcome is None or outcome.truth is None:
        return False
    if outcome.proof is Proof.PATHOLOGY:
        return True
    return outcome.proof is Proof.FOLLOW_UP and (outcome.follow_up_months or 0) >= LEAST_MONTHS


def learnt(
    study: ReadStudy,
    side: Laterality,
    known: KnownFields,
    said: tuple[str, str],
    latest: tuple[Outcome, ...] | None = None,
) -> Outcome:
    """What holds of a breast once something became known of it away from its images.

    Parameters
    ----------
    study
        As whoever says it saw it.
    known
        The category; how it is known and what it was (None: not known); the date, ISO 8601;
        and of a follow-up its length in months.
    said
        Who says it and when, ISO 8601 UTC.
    latest
        The history by now, which others may have added to: what `known` leaves as it was in
        `study` holds as it is there. None: nobody did.

    Raises
    ------
    ValueError
        Where the date is none.
    """
    then = study.breast(side)
    study = study if latest is None else replace(study, outcomes=latest)
    before = study.breast(side)
    assessment, proof, day, months = _edited(known, then, before)
    listed = before.circumstances.listed if before else ""
    # No image is looked at: the machine's marks are not visible, but they may have been.
    about = Circumstances(*said, False, study.seen, study.synthetic, listed=listed)
    outcome = replace(before or Outcome(side, about), circumstances=about)
    return with_knowledge(outcome, assessment, proof, (day, months))


def _edited(known: KnownFields, then: Outcome | None, now: Outcome | None) -> KnownFields:
    """The category, and beside it the proof: each as it is told anew, or as it holds by now."""
    was, holds = _fields_of(then), _fields_of(now)
    category = holds[0] if known[0] is was[0] else known[0]
    proof = holds[1:] if known[1:] == was[1:] else known[1:]
    return category, *proof


def _fields_of(outcome: Outcome | None) -> KnownFields:
    if outcome is None:
        return None, None, "", None
    proof = (outcome.proof, outcome.truth) if outcome.proof and outcome.truth else None
    return outcome.assessment, proof, outcome.proof_date, outcome.follow_up_months
