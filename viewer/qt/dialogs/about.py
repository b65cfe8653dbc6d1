"""What the program is, which versions and models it consists of, and their licences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.errors import ModelError
from ml.in_use import packs_in_use
from ml.places import RESOURCES
from ml.registry import CARD, read_card
from ml.texts import RESEARCH_USE_ONLY, translate
from viewer.core.report import program_version, versions
from viewer.qt.dialogs.base import Button, Dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from ml.registry import ModelCard

LICENCE = "AGPL-3.0-or-later"


def model_lines() -> tuple[str, ...]:
    """What the cards of the shipped models say, or why one cannot be read."""
    lines: list[str] = []
    for role, folder in packs_in_use().items():
        try:
            lines += card_lines(read_card(folder / CARD))
        except ModelError as error:
            lines.append(f"{role}: {error}")
    return tuple(lines)


def card_lines(card: ModelCard) -> tuple[str, ...]:
    """One card: name and version, purpose, data, licence, figures with their 95 % intervals."""
    figures = tuple(
        f"    {figure.name} {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f}), "
        f"n = {figure.n}, {figure.data}"
        for figure in card.figures
    )
    about = (card.intended_use, card.data, card.licence)
    texts = tuple(f"    {text}" for text in about if text)
    return (f"{card.name} {card.version} ({card.role})", *texts, *figures)


class AboutDialog(Dialog):
    """Name, purpose, versions, models, licences.

    Parameters
    ----------
    models
        As `model_lines` gives them.
    """

    def __init__(self, models: Sequence[str], parent: QWidget | None) -> None:
        super().__init__(translate("About Mammoscope"), parent)
        heading = self.add_text(f"Mammoscope {program_version()}")
        heading.setProperty("kind", "title")
        self.add_text(translate("A desktop workstation for reading mammograms."))
        self.add_text(translate(RESEARCH_USE_ONLY))
        self.page = self.add_page(about_text(models), translate("Versions and licences"))
        self.add_buttons(Button.Close)
        self.resize(560, 460)


def about_text(models: Sequence[str]) -> str:
    """Versions, models and licences as lines of text."""
    parts = [translate("Licence: {licence}").format(licence=LICENCE), ""]
    parts += [f"{name} {number}" for name, number in versions()[1:]]
    parts += ["", translate("Models")]
    parts += list(models) or [translate("No model is installed.")]
    licences = sorted(path for path in (RESOURCES / "licences").glob("*") if path.is_file())
    if licences:
        parts += ["", translate("Licences of what comes with the program")]
    for path in licences:
        parts += ["", path.stem, path.read_text(encoding="utf-8")]
    return "\n".join(parts)
