"""The reader's edition, which cannot generate or train, says so where it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QDialog, QLabel

if TYPE_CHECKING:
    from tests.gui.conftest import Reader


@pytest.mark.parametrize("name", ["show_studio", "show_retraining"])
def test_the_readers_edition_says_what_its_menus_lack(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("viewer.qt.main_window.is_studio", lambda: False)
    getattr(reader.window, name)()
    told = [label.text() for label in reader.window.notice.findChildren(QLabel)]
    assert any("studio edition" in text for text in told)
    assert not reader.window.findChildren(QDialog)
