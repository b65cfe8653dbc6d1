"""How the window of a screening looks, beside the theme of the whole program."""

from ml.places import ICONS
from viewer.qt import palette

STYLE = f"""
#head, #foot, #order, #tools, #under {{ background: {palette.GROUND}; }}
#head, #order, #tools {{ border-bottom: 1px solid {palette.LINE}; }}
#foot, #under {{ border-top: 1px solid {palette.LINE}; }}
#summary, #summary QScrollArea, #column {{ background: #0c0f11; border: none; }}
#summary {{ border-left: 1px solid {palette.LINE}; }}
#nothing {{ background: #0c0f11; }}
QTableView {{ background: #0c0f11; border: none; outline: none;
  selection-background-color: {palette.CHOSEN}; selection-color: {palette.TEXT}; }}
QTableView:focus {{ border: 1px solid {palette.CHOSEN}; }}
QTableView::item {{ padding: 0 5px; border: none; }}
QHeaderView::section {{ padding: 6px 8px; border-bottom: 1px solid {palette.LINE}; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ subcontrol-origin: padding;
  subcontrol-position: top center; width: 9px; height: 6px; }}
QHeaderView::up-arrow {{ image: url("{(ICONS / "up.png").as_posix()}"); }}
QHeaderView::down-arrow {{ image: url("{(ICONS / "down.png").as_posix()}"); }}
QLabel[kind="title"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="hides"] {{ color: {palette.MACHINE}; }}
QLabel[kind="remarks"] {{ color: {palette.STANDING}; background: {palette.GROUND};
  border-top: 1px solid {palette.LINE}; padding: 7px 16px; }}
QComboBox::drop-down {{ border: none; width: 18px; }}
QComboBox::down-arrow {{ image: url("{(ICONS / "down.png").as_posix()}"); width: 9px;
  height: 6px; }}
QLabel[kind="invitation"] {{ color: {palette.DIM}; font-size: 14px; }}
QLabel[kind="count"] {{ font-weight: 600; }}
QPushButton[kind="chip"] {{ padding: 4px 11px; background: {palette.GROUND}; }}
QPushButton[kind="chip"]:checked {{ background: {palette.CHOSEN}; border-color: #3d5a6c; }}
QPushButton[kind="chip"]:focus {{ border-color: {palette.ACCENT}; }}
QPushButton[kind="deed"] {{ background: {palette.DEED}; }}
QPushButton:disabled {{ color: {palette.FAINT}; background: {palette.GROUND}; }}
"""
