"""What the workstation is showing: one immutable value, replaced on every change.

Pixels are not here: `viewer.display` looks them up by the image's SOP Instance UID.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ml.prevalence import SCREENING_PER_THOUSAND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ml.findings import Analysis
    from ml.mammo.codes import Laterality
    from ml.mammo.mammogram import Mammogram, Window
    from ml.mammo.study import Study
    from viewer.core.decision import Decision, Outcome

# How a list is read; the values of `SessionState.listed` and of what is kept with a read.
RANKED, BLIND = "ranked", "blind"


class Tool(Enum):
    """What a drag with the left button does."""

    WINDOW = "window"
    ZOOM = "zoom"
    PAN = "pan"
    LOUPE = "loupe"
    LENGTH = "length"
    DRAW = "draw"


class Impression(Enum):
    """The reader's own word on one breast."""

    NORMAL = "normal"
    RECALL = "recall"


@dataclass(frozen=True, slots=True)
class Presentation:
    """How one image is shown (it will be written as a Grayscale Softcopy Presentation State).

    Attributes
    ----------
    voi_index
        Which of the image's own windows and LUTs (`Mammogram.voi`), where `window` is None.
    window
        A window of the reader's own; None: the image's.
    inverted
        White air.
    raw_air
        Show what the skin-line mask hides.
    """

    voi_index: int = 0
    window: Window | None = None
    inverted: bool = False
    raw_air: bool = False


@dataclass(frozen=True, slots=True)
class Camera:
    """Where a viewport looks, relative to fit.

    Attributes
    ----------
    zoom
        Screen pixels per stored pixel of an image, over the common fit scale; 1 is fit.
    offset_rows, offset_columns
        How far the image was moved, in screen pixels at zoom 1, down and to the right.
    """

    zoom: float = 1.0
    offset_rows: float = 0.0
    offset_columns: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Viewport:
    """One slot of the hang.

    Attributes
    ----------
    title
        ``"RCC"``: what belongs here, shown where the slot is empty.
    image
        None: an empty slot.
    """

    title: str
    image: Mammogram | None = None
    camera: Camera = field(default_factory=Camera)
    presentation: Presentation = field(default_factory=Presentation)
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not opened, and the sentence why."""

    path: Path
    sentence: str


@dataclass(frozen=True, slots=True)
class FindingKey:
    """Names one mark: its image and its place in that image's findings.

    Attributes
    ----------
    index
        -1 where no finding of the machine's is there; `mark` then names it.
    """

    sop_instance_uid: str
    index: int
    mark: str = ""


def _nothing() -> Mapping[Laterality, Impression]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader said of the open study.

    Attributes
    ----------
    before, after
        Her impression of each breast before and after the machine's marks were shown.
    revealed_at
        ISO 8601 UTC; empty while the marks are hidden.
    seen_before
        The marks could be seen before the first impression was given: it was not blind.
    """

    before: Mapping[Laterality, Impression] = field(default_factory=_nothing)
    after: Mapping[Laterality, Impression] = field(default_factory=_nothing)
    revealed_at: str = ""
    seen_before: bool = False


@dataclass(frozen=True, slots=True)
class Length:
    """A line that the reader drew in one image.

    Attributes
    ----------
    start, end
        (row, column) in stored pixels.
    """

    sop_instance_uid: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Background:
    """What the long jobs do, for the line at the bottom.

    Attributes
    ----------
    text
        Empty when none runs or waits.
    share
        How far the running one is, 0 to 1; None where it is not known.
    """

    text: str = ""
    share: float | None = None


class AnalysisPhase(Enum):
    """How far the machine is with the open study."""

    NONE = "none"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class SessionState:
    """Everything a panel may draw.

    Attributes
    ----------
    studies
        The work list.
    study
        The open one, also where `studies` holds others.
    viewports
        Row by row, left to right; four in the standard hang.
    active
        Index of the viewport that keys act on.
    linked
        Window, zoom and pan act on all viewports.
    blind_first_read
        The switch: machine results stay hidden until the reader has spoken or revealed them.
    threshold
        Findings with a lower score are not drawn; None: the model's operating point.
    per_thousand
        The prevalence that probabilities are shown at, of 1,000.
    selected
        The finding that is emphasized on image and in panel.
    one_up
        The active viewport fills the canvas.
    lengths
        What the reader measured in the open study.
    reader
        Her name; empty until she was asked.
    decisions, outcomes
        All that was said of the open study's marks and breasts, the oldest first; the latest
        counts.
    listed
        How the list of a screened folder was read that the open study was taken from:
        ``"ranked"`` or ``"blind"``; empty where it was opened otherwise.
    seen
        The studies of which the machine's marks could be seen since the program began, each by
        its UID and whether it is synthetic. What was before is in `reading` and in what was
        said.
    lane
        What the background lane does, in words; empty when idle.
    background
        What the long jobs do.
    """

    studies: tuple[Study, ...] = ()
    study: Study | None = None
    viewports: tuple[Viewport, ...] = ()
    active: int = 0
    tool: Tool = Tool.WINDOW
    linked: bool = True
    analysis: Analysis | None = None
    analysis_phase: AnalysisPhase = AnalysisPhase.NONE
    analysis_error: str = ""
    blind_first_read: bool = False
    reading: Reading = field(default_factory=Reading)
    threshold: float | None = None
    per_thousand: float = SCREENING_PER_THOUSAND
    selected: FindingKey | None = None
    heat_map_shown: bool = False
    refusals: tuple[Refusal, ...] = ()
    opening: str = ""
    lane: str = ""
    background: Background = field(default_factory=Background)
    one_up: bool = False
    lengths: tuple[Length, ...] = ()
    reader: str = ""
    decisions: tuple[Decision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    listed: str = ""
    seen: frozenset[tuple[str, bool]] = frozenset()

    @property
    def machine_shown(self) -> bool:
        """Whether anything that the machine says of this study may be visible.

        A study of a list that is read blind waits for the reader's word, whatever the switch.
        """
        hidden = self.blind_first_read or self.listed == BLIND
        return not hidden or bool(self.reading.revealed_at)


# What undo brings back here: how images are shown. What was decided goes back by new decisions.
_VIEW = ("viewports", "active", "linked", "one_up", "lengths", "threshold", "heat_map_shown")


def same_view(one: SessionState, other: SessionState) -> bool:
    """Whether two states show their images alike."""
    return all(getattr(one, name) is getattr(other, name) for name in _VIEW)


def restore_view(state: SessionState, past: SessionState) -> SessionState:
    """Show the images as in `past`; everything else stays as it is."""
    return replace(state, **{name: getattr(past, name) for name in _VIEW})
