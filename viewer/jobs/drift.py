"""Whether the models in use still score as their cards say: out of what the library keeps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ml.in_use import cards_in_use
from ml.registry import NEEDED_ROLES, WEIGHTS
from ml.texts import translate
from viewer.core.drift import LAST, Standing, maker_text, p_text, sentence, watch
from viewer.core.home import find_home
from viewer.core.settings import read_settings
from viewer.library.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from viewer.core.drift import Watched

ALL = "all"


def watch_models(library: Library, per_thousand: float) -> tuple[Watched, ...]:
    """Hold the last analyses against the cards of the models in use.

    The detector of calcifications has no comparison of its own: its marks are among the
    detector's, in use as in the measurement.

    Parameters
    ----------
    per_thousand
        How many of 1,000 images are expected to show a lesion.

    Raises
    ------
    ModelError
        Where a model in use has no readable card.
    """
    cards = cards_in_use()
    return tuple(
        watched
        for role in NEEDED_ROLES
        if (card := cards.get(role)) is not None
        for watched in watch(
            role,
            card.key,
            library.latest_scores(role, card.files[WEIGHTS], LAST),
            card.distribution,
            per_thousand / 1000,
        )
    )


def main() -> None:
    """What `mammoscope models drift` prints: a table, and each comparison in words.

    Raises
    ------
    ModelError
        As `watch_models`.
    """
    home = find_home()
    settings, told = read_settings(home.settings)
    library = Library(home.library)
    try:
        watched = watch_models(library, settings.prevalence_per_thousand)
    finally:
        library.close()
    for text in filter(None, (told, library.sentence)):
        sys.stderr.write(f"{text}\n")
    for line in lines_of(watched):
        sys.stdout.write(f"{line}\n")


def lines_of(watched: tuple[Watched, ...]) -> Iterator[str]:
    """A heading and a line for each comparison, with tabs between."""
    yield "model\tmaker\timages\tstudies\tKS\tp\tPSI\tstanding"
    for one in watched:
        compared = one.standing not in (Standing.NOTHING, Standing.FEW)
        figures = (
            (f"{one.distance:.3f}", p_text(one.p), f"{one.psi:.2f}") if compared else ("-",) * 3
        )
        maker = ALL if one.maker is None else maker_text(one)
        counts = (str(one.images), str(one.women))
        standing = translate(one.standing.value)
        yield "\t".join((one.model, maker, *counts, *figures, standing))
    for one in watched:
        yield f"{one.model}. {sentence(one)}"
