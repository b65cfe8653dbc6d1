"""Which files were not opened, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.texts import translate
from viewer.qt.dialogs.base import Button, Dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from viewer.core.state import Refusal


class RefusedFilesDialog(Dialog):
    """A list that can be copied: each file under its sentence."""

    def __init__(self, refusals: Sequence[Refusal], parent: QWidget | None) -> None:
        title = translate("Files that were not opened")
        super().__init__(title, parent)
        self.add_text(
            translate("Not opened: {count}. All other files were opened.").format(
                count=len(refusals)
            )
        )
        lines = [f"{refusal.path}\n    {refusal.sentence}" for refusal in refusals]
        self.page = self.add_page("\n\n".join(lines), title)
        self.add_buttons(Button.Close)
        self.resize(680, 400)
