"""The first run: the statement that is accepted, and what the computer means for reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from viewer.core.settings import Settings

# One more whenever the statement says something else: everyone is asked again then.
STATEMENT_VERSION = 1
STATEMENT: tuple[str, ...] = (
    mark(
        "Mammoscope is for research, teaching and testing. It is not a medical device, and no "
        "authority has cleared it."
    ),
    mark(
        "Nothing that it shows may decide about a patient: neither a mark, nor a probability, "
        "nor that it shows none."
    ),
    mark(
        "Its models were trained on simulated mammograms and on a small public set of films. "
        "What they reach on your images is not known."
    ),
    mark("You answer for the images that you open. Nothing leaves this computer."),
)
SEEN, UNSEEN = "seen", "not seen"
PATTERN = mark("A test pattern: faint squares in black and in white, and a ramp of grays")
SQUARES = mark("I see a dark square in the black one and a light one in the white one")
IF_NOT = mark(
    "If you do not: darken the room, turn night colours off, set brightness and contrast of "
    "the screen."
)
MILLION = 1_000_000
# ACR-AAPM-SIIM Practice Parameter for Determinants of Image Quality in Digital Mammography:
# displays for interpretation have 5 megapixels or more.
MAMMOGRAPHY_MEGAPIXELS = 5.0
_GRAY_BITS = 10


def is_accepted(settings: Settings) -> bool:
    """Whether the statement as it is now was accepted."""
    version = settings.accepted.partition(" ")[0]
    return version.isdecimal() and int(version) >= STATEMENT_VERSION


def accept(settings: Settings, day: date) -> Settings:
    """Settings that say that the statement was accepted on this day."""
    return replace(settings, accepted=f"{STATEMENT_VERSION} {day.isoformat()}")


def check_display(settings: Settings, day: date, *, seen: bool) -> Settings:
    """Settings that say whether the faint squares were seen on this day."""
    return replace(settings, display_check=f"{day.isoformat()} {SEEN if seen else UNSEEN}")


def was_seen(settings: Settings) -> bool:
    """Whether the faint squares were seen when they were shown last."""
    return settings.display_check.partition(" ")[2] == SEEN


def last_check(settings: Settings) -> str:
    """One sentence on the last look at the test pattern."""
    day, _, _ = settings.display_check.partition(" ")
    if not day:
        return translate("The display was not checked yet.")
    if was_seen(settings):
        sentence = translate("Last checked on {day}: both faint squares were seen.")
    else:
        sentence = translate("Last checked on {day}: not both faint squares were seen.")
    return sentence.format(day=day)


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen as the system tells it.

    Attributes
    ----------
    width_px, height_px
        Of its own pixels.
    bits
        Per channel.
    """

    width_px: int
    height_px: int
    bits: int

    @property
    def megapixels(self) -> float:
        """Its pixels, in millions."""
        return self.width_px * self.height_px / MILLION


def screen_lines(screens: Sequence[Screen]) -> tuple[str, ...]:
    """One line a screen: its pixels and its bits."""
    line = translate(
        "Screen {number}: {width} x {height} pixels ({millions} million), {bits} bits a channel"
    )
    return tuple(
        line.format(
            number=number,
            width=each.width_px,
            height=each.height_px,
            millions=f"{each.megapixels:.1f}",
            bits=each.bits,
        )
        for number, each in enumerate(screens, 1)
    )


def screen_meaning(screens: Sequence[Screen]) -> str:
    """What these screens mean for reading; the best of each counts."""
    pixels = max((each.megapixels for each in screens), default=0.0)
    bits = max((each.bits for each in screens), default=0)
    parts: list[str] = []
    if pixels < MAMMOGRAPHY_MEGAPIXELS:
        parts.append(
            translate(
                "Displays for reading mammograms have 5 million pixels or more. Here a whole "
                "image is shown smaller than it is: look at calcifications at one to one."
            )
        )
    if bits < _GRAY_BITS:
        parts.append(
            translate(
                "256 grays are fewer than a mammogram has: move the window over the breast to "
                "see them all."
            )
        )
    parts.append(translate("The program does not calibrate displays."))
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Computing:
    """What there is to compute with.

    Attributes
    ----------
    driver
        A driver for CUDA devices is at work.
    card
        What it calls its first card; empty where it does not say.
    capable
        This edition of the program has what computes there.
    """

    driver: bool
    card: str
    capable: bool


def computing_sentence(found: Computing) -> str:
    """What was found to compute with, and what that means."""
    if found.driver and found.capable:
        return translate(
            "Graphics card: {card}. The models run on it; generating and training take "
            "minutes to hours."
        ).format(card=found.card or "CUDA")
    if found.driver:
        return translate(
            "Graphics card: {card}. This edition of the program does not use it: the models "
            "run on the processor, a study takes some seconds."
        ).format(card=found.card or "CUDA")
    return translate(
        "No CUDA graphics card: the models run on the processor. A study takes some seconds; "
        "generating and training take hours and run in the background."
    )
