"""How the window of a retraining looks, beside the theme of the whole program."""

from viewer.qt import palette

GOOD = palette.READER
STYLE = f"""
#head, #foot, #steps {{ background: {palette.GROUND}; }}
#head, #steps {{ border-bottom: 1px solid {palette.LINE}; }}
#foot {{ border-top: 1px solid {palette.LINE}; }}
#page, QScrollArea, #column {{ background: #0c0f11; border: none; }}
#right {{ background: #0c0f11; border-left: 1px solid {palette.LINE}; }}
#line {{ border-top: 1px solid {palette.LINE}; }}
#verdict[verdict="red"] {{ background: {palette.ALARM_GROUND};
  border: 1px solid {palette.ALARM}; border-radius: 6px; }}
#verdict[verdict="amber"] {{ background: #221d12; border: 1px solid {palette.MACHINE};
  border-radius: 6px; }}
#verdict[verdict="green"] {{ background: #12201d; border: 1px solid {GOOD};
  border-radius: 6px; }}
#verdict[verdict="none"] {{ background: {palette.CARD}; border: 1px solid {palette.LINE};
  border-radius: 6px; }}
QLabel[kind="title"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="verdict"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="red"] {{ color: {palette.ALARM}; }}
QLabel[kind="amber"] {{ color: {palette.MACHINE}; }}
QLabel[kind="green"] {{ color: {GOOD}; }}
QLabel[kind="problem"] {{ color: {palette.ALARM}; }}
QPushButton[kind="chip"] {{ padding: 4px 9px; background: {palette.GROUND}; }}
QPushButton[kind="chip"]:checked {{ background: {palette.CHOSEN}; border-color: #3d5a6c; }}
QPushButton[kind="chip"]:focus {{ border-color: {palette.ACCENT}; }}
QPushButton[kind="deed"] {{ background: {palette.DEED}; }}
QPushButton[kind="step"] {{ background: transparent; border: none; border-radius: 0;
  border-bottom: 2px solid transparent; padding: 12px 18px; text-align: left;
  color: {palette.DIM}; }}
QPushButton[kind="step"][over="true"] {{ color: {GOOD}; }}
QPushButton[kind="step"]:checked {{ color: {palette.TEXT};
  border-bottom: 2px solid {palette.ACCENT}; }}
QPushButton[kind="step"]:focus {{ background: {palette.RAISED}; }}
QPushButton[kind="step"]:disabled {{ color: {palette.FAINT}; }}
"""
