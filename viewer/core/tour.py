"""The tour of the window: what each step says, and at which place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(Enum):
    """What a step points at."""

    WINDOW, FILE, WORK_LIST, TOOLS, CANVAS, DIAGNOSIS, MACHINES, HELP = range(8)


@dataclass(frozen=True, slots=True)
class Step:
    """One card.

    Attributes
    ----------
    title, text
        Marked; ``{names}`` in the text stand for the keys of the commands of that name.
    """

    place: Place
    title: str
    text: str

    def told(self, keys: Mapping[str, str]) -> str:
        """The text with the keys as they are."""
        return translate(self.text).format(**keys)


OFFER = Step(
    Place.WINDOW,
    mark("Two minutes for a tour?"),
    mark(
        "Eight cards show what is where. You can read on meanwhile; Help, Tour starts it too."
    ),
)
STEPS = (
    Step(
        Place.FILE,
        mark("Open images"),
        mark(
            "{open_files} opens files, {open_folder} a folder. You can drop them on the "
            "window, too."
        ),
    ),
    Step(
        Place.WORK_LIST,
        mark("The hang, and the next study"),
        mark(
            "Four views hang with the chest walls in the middle and at one scale. {next_study} "
            "goes to the next study, {previous_study} back."
        ),
    ),
    Step(
        Place.TOOLS,
        mark("Zoom and window"),
        mark(
            "{tool_zoom} zooms with the mouse, {one_to_one} shows every pixel, {fit} all of "
            "them. {tool_window} sets the window, {auto_window} fits it to the breast."
        ),
    ),
    Step(
        Place.CANVAS,
        mark("Findings and your word"),
        mark(
            "{next_finding} goes to the next finding; {accept} accepts, {reject} rejects it, "
            "{tool_draw} draws a missed one. {impression_right_normal} to "
            "{impression_left_recall} record normal or recall."
        ),
    ),
    Step(
        Place.DIAGNOSIS,
        mark("The diagnosis panel"),
        mark(
            "A probability is calibrated and names its prevalence; a score only ranks. Both "
            "are the machine's word, never a diagnosis."
        ),
    ),
    Step(
        Place.FILE,
        mark("Screen a folder"),
        mark(
            "{screen} has every study of a folder looked at, overnight as well, and gives you "
            "a list to read from."
        ),
    ),
    Step(
        Place.MACHINES,
        mark("Synthetic images, retraining"),
        mark(
            "{generate} makes mammograms that show nobody, {retrain} trains the models anew. "
            "A model goes live only where it is shown to be no worse."
        ),
    ),
    Step(
        Place.HELP,
        mark("The manual"),
        mark("{manual} opens it at the page that fits, {shortcuts} lists every key."),
    ),
)
