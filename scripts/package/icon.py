"""The program's icon, drawn from its SVG in the sizes that systems ask for."""

from __future__ import annotations

import os
from pathlib import Path

SVG = Path(__file__).resolve().parent / "linux" / "mammoscope.svg"


def draw_icon(path: Path, size: int) -> None:
    """Draw the icon, as PNG or ICO, as the path says.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Packaging draws with what the program brings anyway.
    from PySide6.QtCore import Qt  # noqa: TID251
    from PySide6.QtGui import QImage, QPainter  # noqa: TID251
    from PySide6.QtSvg import QSvgRenderer  # noqa: TID251

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(SVG)).render(painter)
    painter.end()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not image.save(str(path)):
        raise OSError(f"{path.name} could not be drawn")
