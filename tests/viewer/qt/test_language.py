"""The window in another language: its texts, Qt's, and the direction of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QRectF, Qt, QTranslator
from PySide6.QtGui import QImage, QPainter

from ml.texts import translate
from tests.factories.catalogues import use_catalogue
from viewer.qt.canvas.marks import _text
from viewer.qt.language import speak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication


@pytest.fixture
def application(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[QApplication]:
    monkeypatch.setenv("LANGUAGE", "en")
    before = QLocale()
    yield qapp
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
    QLocale.setDefault(before)
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_a_set_language_is_spoken_by_all(
    application: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalogue(monkeypatch, tmp_path, "de", {"Open folder": "Ordner öffnen"})
    monkeypatch.setenv("LANGUAGE", "en")
    speak(application, "de")
    assert translate("Open folder") == "Ordner öffnen"
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    assert QLocale().decimalPoint() == ","
    assert application.layoutDirection() is Qt.LayoutDirection.LeftToRight


def test_a_language_from_right_to_left_turns_the_window(
    application: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalogue(monkeypatch, tmp_path, "he", {"Open folder": "פתח תיקייה"})
    speak(application, "he")
    assert application.layoutDirection() is Qt.LayoutDirection.RightToLeft


def test_where_no_variable_tells_the_system_is_asked(
    application: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    asked: list[str] = []
    monkeypatch.setattr("viewer.qt.language.use_language", asked.append)
    speak(application, "")
    assert len(asked) == 1


def test_texts_on_an_image_stay_at_their_side_in_every_language(
    application: QApplication,
) -> None:
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    image = QImage(200, 40, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    _text(painter, QRectF(0, 0, 200, 40), "RCC", "#ffffff")
    painter.end()
    inked = [x for x in range(200) if any(image.pixelColor(x, y).red() > 99 for y in range(40))]
    assert 0 < max(inked) < 100
