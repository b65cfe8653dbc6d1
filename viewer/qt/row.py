"""A row that breaks where it is too long: words are longer in some languages than in others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt

from viewer.qt.flow import Lines

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLayoutItem, QWidget

SPACING_PX = 8
BETWEEN_LINES_PX = 4


class Row(Lines):
    """The first widget at the beginning, the others at the end, in as many lines as it takes.

    The first one takes the room that is left. A line is broken where the widgets would get
    less than they ask for.
    """

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self.setSpacing(SPACING_PX)
        for widget in widgets:
            self.addWidget(widget)

    def expandingDirections(self) -> Qt.Orientation:
        """As wide as there is room."""
        return Qt.Orientation.Horizontal

    def sizeHint(self) -> QSize:
        """All in one line."""
        hints = [item.sizeHint() for item in self._items]
        width = sum(hint.width() for hint in hints) + self.spacing() * max(len(hints) - 1, 0)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def arrange(self, rect: QRect, *, move: bool) -> int:
        """Place line by line; return the height of all."""
        top = rect.top()
        for line in self._lines(rect.width()):
            widths = self._widths(line, rect.width())
            pairs = tuple(zip(line, widths, strict=True))
            height = max(_height(item, width) for item, width in pairs)
            if move:
                self._place_line(pairs, QRect(rect.left(), top, rect.width(), height))
            top += height + BETWEEN_LINES_PX
        return max(top - BETWEEN_LINES_PX - rect.top(), 0)

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        used = 0
        for item in self._items:
            if item.isEmpty():
                continue
            asked = item.sizeHint().width()
            if lines and used + self.spacing() + asked <= width:
                lines[-1].append(item)
                used += self.spacing() + asked
            else:
                lines.append([item])
                used = asked
        return lines

    def _widths(self, line: list[QLayoutItem], width: int) -> list[int]:
        """The first widget of all takes what is left; alone, any is as wide as it may be."""
        asked = [min(item.sizeHint().width(), width) for item in line]
        if line[0] is self._items[0]:
            asked[0] = width - sum(asked[1:]) - self.spacing() * (len(line) - 1)
        return asked

    def _place_line(self, pairs: tuple[tuple[QLayoutItem, int], ...], rect: QRect) -> None:
        parent = self.parentWidget()
        right_to_left = parent is not None and parent.layoutDirection() is _RTL
        used = sum(width for _, width in pairs) + self.spacing() * (len(pairs) - 1)
        left = rect.width() - used
        for item, width in pairs:
            height = min(_height(item, width), rect.height())
            start = rect.width() - left - width if right_to_left else left
            item.setGeometry(
                QRect(
                    rect.left() + start,
                    rect.top() + (rect.height() - height) // 2,
                    width,
                    height,
                )
            )
            left += width + self.spacing()


_RTL = Qt.LayoutDirection.RightToLeft


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
