"""One mark in the diagnosis panel: its row, and what the reader may do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ml.texts import translate
from viewer.core.decision import Deed, Standing
from viewer.qt.cards import FindingButton

if TYPE_CHECKING:
    from viewer.core.cards import FindingRow

_SIDE_PX = 24


class FindingLine(QWidget):
    """A row that selects the mark, and small buttons beside it.

    Signals
    -------
    wanted : Deed
        The reader pressed a button: accept, reject, another type, take away.
    """

    wanted = Signal(object)

    def __init__(self, row: FindingRow) -> None:
        super().__init__()
        self.row = FindingButton(row)
        self.buttons: dict[Deed, QPushButton] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.row, 1)
        for deed, sign, name in _deeds(row.standing):
            button = QPushButton(sign)
            button.setAccessibleName(f"{name}: {row.title}")
            button.setToolTip(name)
            button.setFixedSize(_SIDE_PX, _SIDE_PX)
            button.setProperty("kind", "deed")
            button.setCheckable(deed in _STANDS)
            button.setChecked(_STANDS.get(deed) is row.standing)
            button.clicked.connect(lambda _=False, deed=deed: self._press(deed))
            self.buttons[deed] = button
            line.addWidget(button)
        self._standing = row.standing

    def focused(self) -> Deed | None:
        """Which button has the focus; None where none has."""
        return next((deed for deed, each in self.buttons.items() if each.hasFocus()), None)

    def _press(self, deed: Deed) -> None:
        # A click turns a checkable button over; what holds is what the state then says.
        self.buttons[deed].setChecked(_STANDS.get(deed) is self._standing)
        self.wanted.emit(deed)


_STANDS = {Deed.ACCEPTED: Standing.ACCEPTED, Deed.REJECTED: Standing.REJECTED}


def _deeds(standing: Standing) -> list[tuple[Deed, str, str]]:
    accept = (Deed.ACCEPTED, "\N{CHECK MARK}", translate("Accept"))
    reject = (Deed.REJECTED, "\N{MULTIPLICATION X}", translate("Reject"))
    retype = (Deed.RETYPED, "\N{MIDLINE HORIZONTAL ELLIPSIS}", translate("Type of the mark…"))
    if standing is Standing.DRAWN:
        return [retype, (Deed.REMOVED, "\N{MULTIPLICATION X}", translate("Remove"))]
    return [accept, reject, retype]
