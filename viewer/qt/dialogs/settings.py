"""The settings dialog, made from the table in `viewer.core.settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QWidget,
)

from ml.texts import translate
from viewer.core.errors import SettingsError
from viewer.core.search import fits
from viewer.core.settings import Settings, descriptions, settings_from_values
from viewer.qt.dialogs.base import PAGE, Button, Dialog
from viewer.qt.search_field import SearchField

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.settings import Description, SettingValue

_HIGHEST = 10**9
_WIDTH_PX = 640
# Margins and the scroll bar beside the rows, the buttons below; the window's own frame.
_BESIDE_PX, _FRAME_PX = 80, 60
# Numbers that are as small as these are told to a tenth of a thousandth.
_SMALL = 10.0


class SettingsDialog(Dialog):
    """One row a setting; OK hands the new table over.

    Parameters
    ----------
    settings
        What holds now.
    accepted
        Called with the new settings when the user presses OK and all values are good.
    """

    def __init__(
        self, settings: Settings, accepted: Callable[[Settings], None], parent: QWidget | None
    ) -> None:
        super().__init__(translate("Settings"), parent)
        self.setProperty(PAGE, "settings.md")
        self._accepted = accepted
        self._kept = {
            each.name: cast("SettingValue", getattr(settings, each.name))
            for each in descriptions()
            if each.kept
        }
        self.editors: dict[str, QWidget] = {}
        self.search = SearchField(translate("Search the settings"), self)
        self.search.textChanged.connect(self._filter)
        self.rows.addWidget(self.search)
        self.nothing = self.add_text(
            translate("No setting fits: try another word, or Escape for all of them.")
        )
        self.nothing.hide()
        page = QWidget()
        self._form = form = QFormLayout(page)
        form.setContentsMargins(0, 0, 8, 0)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for description in _shown():
            value = cast("SettingValue", getattr(settings, description.name))
            self._add(form, description, value)
        self.rows.addWidget(_scrolled(page), 1)
        self.problem = self.add_text("")
        self.problem.hide()
        buttons = self.add_buttons(Button.RestoreDefaults, Button.Cancel, Button.Ok)
        buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).clicked.connect(
            self._restore
        )
        self._fit(form)

    def accept(self) -> None:
        """Check the values; hand them over, or say what is wrong and stay open."""
        values = self._kept | {name: _value_of(each) for name, each in self.editors.items()}
        try:
            settings = settings_from_values(values)
        except SettingsError as error:
            self.problem.setText(str(error))
            self.problem.setAccessibleName(str(error))
            self.problem.show()
            return
        self._accepted(settings)
        super().accept()

    def _fit(self, form: QFormLayout) -> None:
        """As high as all rows, where the screen is: a low one scrolls."""
        self.setMinimumWidth(_WIDTH_PX)
        # Wrapped sentences need their height said: a form would cut them.
        height = form.totalHeightForWidth(_WIDTH_PX - _BESIDE_PX) + _BESIDE_PX
        height += self.search.sizeHint().height()
        room = self.screen().availableSize().height() - _FRAME_PX
        self.resize(_WIDTH_PX, min(height, room))

    def _add(self, form: QFormLayout, description: Description, value: SettingValue) -> None:
        title = translate(description.title)
        editor = _editor(description)
        _put(editor, value)
        editor.setAccessibleName(title)
        editor.setAccessibleDescription(translate(description.sentence))
        editor.setToolTip(translate(description.sentence))
        self.editors[description.name] = editor
        name = QLabel(title)
        name.setBuddy(editor)
        sentence = QLabel(translate(description.sentence))
        sentence.setWordWrap(True)
        sentence.setProperty("kind", "dim")
        form.addRow(name, editor)
        form.addRow(sentence)

    def _restore(self) -> None:
        for description in _shown():
            _put(self.editors[description.name], description.default)

    def _filter(self, words: str) -> None:
        """Show what fits these words; what is hidden keeps its value."""
        found = [
            fits(words, translate(each.title), translate(each.sentence), each.name)
            for each in _shown()
        ]
        for index, good in enumerate(found):
            # Each has a row for its editor and one for its sentence.
            self._form.setRowVisible(2 * index, good)
            self._form.setRowVisible(2 * index + 1, good)
        self.nothing.setVisible(not any(found))


def _shown() -> tuple[Description, ...]:
    return tuple(each for each in descriptions() if not each.kept)


def _scrolled(page: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _editor(description: Description) -> QWidget:
    if description.choices:
        choice = QComboBox()
        choice.addItems(list(description.choices))
        return choice
    if description.kind is bool:
        return QCheckBox()
    if description.kind is int:
        return _whole(description)
    return _number(description) if description.kind is float else QLineEdit()


def _whole(description: Description) -> QSpinBox:
    spin = QSpinBox()
    low, high = description.low, description.high
    spin.setRange(
        -_HIGHEST if low is None else int(low), _HIGHEST if high is None else int(high)
    )
    spin.setSuffix(f" {translate(description.unit)}" if description.unit else "")
    return spin


def _number(description: Description) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    low, high = description.low, description.high
    spin.setDecimals(4 if high is not None and high < _SMALL else 2)
    spin.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    spin.setRange(-_HIGHEST if low is None else low, _HIGHEST if high is None else high)
    spin.setSuffix(f" {translate(description.unit)}" if description.unit else "")
    return spin


def _put(editor: QWidget, value: SettingValue) -> None:
    if isinstance(editor, QCheckBox):
        editor.setChecked(bool(value))
    elif isinstance(editor, QComboBox):
        editor.setCurrentText(str(value))
    elif isinstance(editor, QSpinBox):
        editor.setValue(int(value))
    elif isinstance(editor, QDoubleSpinBox):
        editor.setValue(float(value))
    elif isinstance(editor, QLineEdit):
        editor.setText(str(value))


def _value_of(editor: QWidget) -> SettingValue:
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QComboBox):
        return editor.currentText()
    if isinstance(editor, QSpinBox | QDoubleSpinBox):
        return editor.value()
    return cast("QLineEdit", editor).text()
