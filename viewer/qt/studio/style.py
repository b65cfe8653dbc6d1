"""How the studio looks, beside the theme of the whole program."""

from viewer.qt import palette

STYLE = f"""
#head, #foot {{ background: {palette.GROUND}; }}
#head {{ border-bottom: 1px solid {palette.LINE}; }}
#foot {{ border-top: 1px solid {palette.LINE}; }}
#head QPushButton {{ padding: 2px 12px; }}
#middle {{ background: #0a0c0e; border-left: 1px solid {palette.LINE};
  border-right: 1px solid {palette.LINE}; }}
#middle QListView {{ background: transparent; border: none; }}
QScrollArea, #column {{ background: {palette.GROUND}; border: none; }}
QLabel[kind="title"] {{ font-size: 15px; font-weight: 600; }}
QLabel[kind="standing"] {{ color: {palette.STANDING}; }}
QLabel[kind="problem"] {{ color: {palette.ALARM}; }}
QLabel[kind="figure"] {{ border-bottom: 1px solid {palette.LINE}; padding: 4px 0; }}
QPushButton[kind="chip"] {{ padding: 4px 9px; background: {palette.GROUND}; }}
QPushButton[kind="chip"]:checked {{ background: {palette.CHOSEN}; border-color: #3d5a6c; }}
QPushButton[kind="chip"]:disabled {{ color: {palette.FAINT}; }}
QPushButton[kind="chip"]:focus {{ border-color: {palette.ACCENT}; }}
QPushButton[kind="deed"] {{ background: {palette.DEED}; }}
QPushButton:disabled {{ color: {palette.DIM}; background: {palette.GROUND}; }}
QPlainTextEdit {{ font-family: monospace; color: {palette.READER}; }}
"""
