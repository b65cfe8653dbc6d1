"""Look at the test pattern again: screens age, rooms are lit otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox

from ml.texts import translate
from viewer.core import first_run
from viewer.qt.dialogs.base import PAGE, Button, Dialog
from viewer.qt.dialogs.pattern import Pattern, screens

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from viewer.qt.preferences import Preferences

_WIDTH_PX = 620


class DisplayDialog(Dialog):
    """The screens, what they mean for reading, the pattern; OK keeps what was seen."""

    def __init__(self, preferences: Preferences, parent: QWidget | None) -> None:
        super().__init__(translate("Check the display"), parent)
        self.setProperty(PAGE, "start.md")
        self._preferences = preferences
        found = screens()
        self.add_text("\n".join(first_run.screen_lines(found)))
        self.add_text(first_run.screen_meaning(found)).setProperty("kind", "dim")
        self.pattern = Pattern()
        self.pattern.setAccessibleName(translate(first_run.PATTERN))
        self.rows.addWidget(self.pattern)
        # Not as it was last time: she is to look.
        self.seen = QCheckBox(translate(first_run.SQUARES))
        self.seen.setAccessibleName(self.seen.text())
        self.rows.addWidget(self.seen)
        self.add_text(translate(first_run.IF_NOT)).setProperty("kind", "dim")
        self.last = self.add_text(first_run.last_check(preferences.settings))
        self.rows.addStretch(1)
        self.add_buttons(Button.Cancel, Button.Ok)
        self.setMinimumWidth(_WIDTH_PX)
        self.seen.setFocus()

    def accept(self) -> None:
        """Keep the day, and whether the squares were seen."""
        today = datetime.now(UTC).astimezone().date()
        settings = self._preferences.settings
        self._preferences.change(
            first_run.check_display(settings, today, seen=self.seen.isChecked())
        )
        super().accept()
