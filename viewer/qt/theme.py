"""The dark reading theme: one style sheet over Qt's Fusion style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QPalette

from ml.places import ICONS
from viewer.qt import palette

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


def _icon(name: str) -> str:
    return f'image: url("{(ICONS / name).as_posix()}.png")'


# In dark colours the style's own arrows and boxes are next to invisible: these are ours.
SMALL_PARTS = f"""
QCheckBox::indicator, QRadioButton::indicator {{ width: 12px; height: 12px;
  background: {palette.CARD}; border: 1px solid {palette.DIM}; }}
QCheckBox::indicator {{ border-radius: 3px; }}
QRadioButton::indicator {{ border-radius: 7px; }}
QCheckBox::indicator:checked {{ {_icon("check")}; background: {palette.CHOSEN}; }}
QRadioButton::indicator:checked {{ {_icon("dot")}; background: {palette.CHOSEN}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{
  border: 1px solid {palette.ACCENT}; }}
QAbstractSpinBox {{ padding-right: 18px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border;
  width: 17px; border-left: 1px solid {palette.LINE}; background: {palette.RAISED}; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; border-top-right-radius: 4px; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right;
  border-bottom-right-radius: 4px; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{
  background: {palette.CHOSEN}; }}
QAbstractSpinBox::up-arrow {{ {_icon("up")}; width: 9px; height: 6px; }}
QAbstractSpinBox::down-arrow {{ {_icon("down")}; width: 9px; height: 6px; }}
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off {{ {_icon("up-dim")}; }}
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off {{
  {_icon("down-dim")}; }}
"""
STYLE = f"""
QWidget {{ color: {palette.TEXT}; font-size: 12px; }}
QMainWindow, QDialog, QMenuBar, QToolBar, QStatusBar, #side,
QDialog QScrollArea, QDialog QScrollArea > QWidget > QWidget {{
  background: {palette.GROUND}; }}
QMenuBar {{ padding: 2px 6px; border-bottom: 1px solid {palette.LINE}; }}
QMenuBar::item {{ background: transparent; padding: 4px 9px; border-radius: 4px; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {palette.RAISED}; }}
QMenu {{ background: {palette.CARD}; border: 1px solid {palette.LINE}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 22px; border-radius: 4px; }}
QMenu::item:disabled, QToolButton:disabled {{ color: {palette.DIM}; }}
QMenu::separator {{ height: 1px; background: {palette.LINE}; margin: 4px 8px; }}
QToolBar {{ border: none; border-bottom: 1px solid {palette.LINE}; padding: 4px;
  spacing: 1px; }}
QToolBar::separator {{ background: {palette.LINE}; width: 1px; margin: 4px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 5px;
  padding: 4px 5px; }}
#qt_toolbar_ext_button {{ {_icon("down")}; padding: 0; }}
QToolButton:hover {{ background: {palette.RAISED}; }}
QToolButton:checked {{ background: {palette.CHOSEN}; }}
QToolButton:focus {{ border-color: {palette.ACCENT}; }}
QStatusBar {{ border-top: 1px solid {palette.LINE}; }}
QStatusBar QLabel {{ color: {palette.DIM}; padding: 2px 8px; }}
QStatusBar::item {{ border: none; }}
QLabel[kind="heading"] {{ color: {palette.DIM}; font-weight: 600; font-size: 11px; }}
QLabel[kind="dim"] {{ color: {palette.DIM}; }}
QListWidget {{ background: {palette.GROUND}; border: none; outline: none; }}
QListWidget::item {{ border-radius: 4px; padding: 5px 6px; }}
QListWidget::item:hover {{ background: {palette.CARD}; }}
QListWidget::item:selected {{ background: {palette.RAISED}; color: {palette.TEXT}; }}
QListWidget:focus {{ border: 1px solid {palette.CHOSEN}; }}
QSplitter::handle {{ background: {palette.LINE}; }}
QScrollBar:vertical {{ background: {palette.GROUND}; width: 8px; margin: 0; }}
QScrollBar:horizontal {{ background: {palette.GROUND}; height: 8px; margin: 0; }}
QScrollBar::handle {{ background: {palette.LINE}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QToolTip {{ background: {palette.CARD}; color: {palette.TEXT};
  border: 1px solid {palette.LINE}; padding: 4px; }}
QLineEdit, QPlainTextEdit, QTreeWidget, QComboBox, QSpinBox, QDoubleSpinBox {{
  background: {palette.CARD}; border: 1px solid {palette.LINE}; border-radius: 4px;
  padding: 3px 6px; selection-background-color: {palette.CHOSEN}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {palette.FAINT}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTreeWidget:focus, QComboBox:focus,
QAbstractSpinBox:focus {{ border-color: {palette.ACCENT}; }}
QHeaderView::section {{ background: {palette.GROUND}; color: {palette.DIM}; border: none;
  padding: 4px; }}
QDialog QPushButton {{ background: {palette.CARD}; border: 1px solid {palette.LINE};
  border-radius: 5px; padding: 5px 14px; }}
QDialog QPushButton:hover {{ background: {palette.RAISED}; }}
QDialog QPushButton:focus {{ border-color: {palette.ACCENT}; }}
QDialog QPushButton:disabled {{ color: {palette.DIM}; background: {palette.GROUND}; }}
{SMALL_PARTS}"""


def apply_theme(application: QApplication) -> None:
    """Dress the whole program."""
    application.setStyle("Fusion")
    colours = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, palette.GROUND),
        (QPalette.ColorRole.Base, palette.CARD),
        (QPalette.ColorRole.AlternateBase, palette.RAISED),
        (QPalette.ColorRole.Button, palette.CARD),
        (QPalette.ColorRole.WindowText, palette.TEXT),
        (QPalette.ColorRole.Text, palette.TEXT),
        (QPalette.ColorRole.ButtonText, palette.TEXT),
        (QPalette.ColorRole.PlaceholderText, palette.DIM),
        (QPalette.ColorRole.Highlight, palette.CHOSEN),
        (QPalette.ColorRole.HighlightedText, palette.TEXT),
        # What Markdown writes its links with, in the manual.
        (QPalette.ColorRole.Link, palette.ACCENT),
        (QPalette.ColorRole.LinkVisited, palette.ACCENT),
        (QPalette.ColorRole.ToolTipBase, palette.CARD),
        (QPalette.ColorRole.ToolTipText, palette.TEXT),
    ):
        colours.setColor(role, QColor(colour))
    application.setPalette(colours)
    application.setStyleSheet(STYLE)
