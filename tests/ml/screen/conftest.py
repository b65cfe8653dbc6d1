"""What tests of screening share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories.packs import make_packs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models in a folder."""
    folder = tmp_path_factory.mktemp("packs")
    make_packs(folder)
    return folder
