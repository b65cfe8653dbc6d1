"""What the program is, which versions and models it consists of, and their licences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox

from ml.errors import ModelError
from ml.in_use import packs_in_use
from ml.places import RESOURCES
from ml.registry import CARD, read_card
from ml.texts import RESEARCH_USE_ONLY, translate
from viewer.core.home import find_home
from viewer.core.report import program_version, versions
from viewer.qt.dialogs.base import Button, Dialog, name_button
from viewer.qt.dialogs.folder_row import FolderRow

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
        self.add_text(translate("The library, models and generated images lie here:"))
        self.folder = FolderRow(find_home().data)
        self.rows.addWidget(self.folder)
        buttons = self.add_buttons(Button.Close)
        self.copy_button = buttons.addButton("", QDialogButtonBox.ButtonRole.ActionRole)
        name_button(self.copy_button, translate("Copy"))
        self.copy_button.clicked.connect(self._copy)
        self.take_room(620, 560)

    def _copy(self) -> None:
        """Version, models and licences: what is asked for when something is reported."""
        text = f"Mammoscope {program_version()}\n{self.page.toPlainText()}"
        QGuiApplication.clipboard().setText(text)


def about_text(models: Sequence[str]) -> str:
    """Versions, models and licences as lines of text."""
    parts = [translate("Licence: {licence}").format(licence=LICENCE), ""]
    parts += [f"{name} {number}" for name, number in versions()[1:]]
    parts += ["", translate("Models")]
    parts += list(models) or [translate("No model is installed.")]
    folder = RESOURCES / "licences"
    licences = sorted(path for path in folder.rglob("*") if path.is_file())
    if licences:
        parts += ["", translate("Licences of what comes with the program")]
    for path in licences:
        # Some of them are older than UTF-8.
        text = path.read_text(encoding="utf-8", errors="replace")
        parts += ["", path.relative_to(folder).as_posix(), text]
    return "\n".join(parts)
