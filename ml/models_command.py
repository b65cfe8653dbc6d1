"""The part of `mammoscope models` that only reads: what may be asked, and the cards in use."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.texts import mark

if TYPE_CHECKING:
    import argparse

# As `ml.registry.ROLES`, which costs numpy.
ROLES = ("detector", "calcifications", "classifier")
# As `ml.evaluate.gate.Margins`, which the reader's edition may lack.
MARGINS = {
    "sensitivity": "how much less a new model may find, as a share",
    "specificity": "how much less it may let go, as a share",
    "false_marks": "how many marks more it may set on an image without a lesion",
}
MOST_MARGIN = 5.0


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Say what may be done with models."""
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    actions.add_parser("list", help="name, version and role of every model in use")
    show = actions.add_parser("show", help="the whole card of one model")
    show.add_argument("name", metavar="NAME")
    actions.add_parser("versions", help="your own models, in use or not")
    actions.add_parser("drift", help="the latest scores against the cards, by maker")
    add = actions.add_parser("add", help="take a trained model in, as your next version")
    add.add_argument("folder", type=Path, metavar="DIR")
    compare = actions.add_parser(
        "compare", help="ask whether a version is no worse than the one in use; it counts"
    )
    promote = actions.add_parser(
        "promote", help="ask that, too, and put the version into use if it is no worse"
    )
    for each in (compare, promote):
        _take_comparison(each)
    back = actions.add_parser("back", help="use again what was in use before")
    back.add_argument("role", choices=ROLES)
    shadow = actions.add_parser(
        "shadow", help="have a version run beside the one in use, without showing it"
    )
    asked = shadow.add_mutually_exclusive_group(required=True)
    asked.add_argument("key", nargs="?", metavar="NAME@VERSION")
    asked.add_argument("--off", choices=ROLES, help="the role in which none shall run any more")
    for each in (promote, back, shadow):
        each.add_argument("--who", default="", metavar="NAME", help="who decides it")


def _take_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="NAME@VERSION")
    parser.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    for name, what in MARGINS.items():
        parser.add_argument(
            f"--margin-{name.replace('_', '-')}",
            type=_margin,
            metavar="M",
            help=f"{what}; left out, that of the settings",
        )


def _margin(text: str) -> float:
    value = float(text)
    if not 0 <= value <= MOST_MARGIN:
        raise ValueError(text)
    return value


def show_models(given: argparse.Namespace) -> None:
    """List the models in use, or show the card of one.

    Raises
    ------
    MammoError
        Where there is none of that name, or one is damaged.
    """
    from ml.in_use import own_version
    from ml.registry import card_to_json, read_pack

    cards = _cards()
    if given.action == "list":
        for role, card in cards.items():
            sys.stdout.write(f"{card['name']}@{card['version']}\t{role}\t{card['licence']}\n")
        return
    shown = [card for role, card in cards.items() if given.name in _names(role, card)]
    if not shown and (folder := own_version(given.name)):
        shown = [card_to_json(read_pack(folder).card)]
    if not shown:
        raise MammoError(
            mark(
                "There is no model {name}; `mammoscope models list` names those in use, "
                "`mammoscope models versions` your own."
            ),
            name=given.name,
        )
    sys.stdout.write(json.dumps(shown[0], indent=1) + "\n")


def _names(role: str, card: dict[str, object]) -> tuple[object, ...]:
    return card["name"], f"{card['name']}@{card['version']}", role


def _cards() -> dict[str, dict[str, object]]:
    """What the models in use say of themselves, by role; all files are checked."""
    from ml.in_use import generator_in_use, packs_in_use
    from ml.places import GENERATOR
    from ml.registry import card_to_json, read_pack
    from ml.synth.pack import read_generator

    packs = packs_in_use().items()
    cards = {role: card_to_json(read_pack(folder).card) for role, folder in packs}
    if generator := generator_in_use():
        cards[GENERATOR] = asdict(read_generator(generator).card)
    return cards
