"""Every command and its keys, as the one commands table has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem

from ml.texts import translate
from viewer.qt.dialogs.base import PAGE, Button, Dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from viewer.core.shortcuts import Section


class ShortcutsDialog(Dialog):
    """A list under the menus' names.

    Parameters
    ----------
    sections
        As `viewer.core.shortcuts.shortcut_sections` gives them.
    """

    def __init__(self, sections: Sequence[Section], parent: QWidget | None) -> None:
        title = translate("Keyboard shortcuts")
        super().__init__(title, parent)
        self.setProperty(PAGE, "shortcuts.md")
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(title)
        self.tree.setHeaderLabels([translate("Command"), translate("Keys")])
        self.tree.setRootIsDecorated(False)
        self.tree.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for section in sections:
            heading = QTreeWidgetItem([section.title, ""])
            for command, keys in section.rows:
                heading.addChild(QTreeWidgetItem([command, keys]))
            self.tree.addTopLevelItem(heading)
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.rows.addWidget(self.tree, 1)
        self.add_buttons(Button.Close)
        self.resize(520, 640)
