"""Where the program keeps what is the user's: settings, library, models, logs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION = "mammoscope"
PROGRAM = "mammoscope.exe" if sys.platform == "win32" else "mammoscope"
# In the folder of versions: which of them is started.
VERSIONS_FILE = "versions.json"
VARIABLE = "MAMMOSCOPE_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The user's places.

    Attributes
    ----------
    settings
        The settings file (TOML).
    library
        The library's database (SQLite).
    models
        The folder of imported model packs.
    logs
        The folder of log files.
    """

    settings: Path
    library: Path
    models: Path
    logs: Path

    @property
    def data(self) -> Path:
        """The folder of the library and of all that is made; the first to be backed up."""
        return self.library.parent

    @property
    def generated(self) -> Path:
        """The folder of generated images, one folder a batch, beside the library."""
        return self.library.parent / "generated"

    @property
    def corrections(self) -> Path:
        """The data set of the reader's corrections, beside the library."""
        return self.library.parent / "corrections"

    @property
    def trainings(self) -> Path:
        """The folder of trainings, one folder each, beside the library."""
        return self.library.parent / "trainings"

    @property
    def screenings(self) -> Path:
        """The folder of screened folders' results, one folder each, beside the library."""
        return self.library.parent / "screening"

    @property
    def reading_places(self) -> Path:
        """Where the reader is in each screened folder's list; the results may be another's."""
        return self.library.parent / "reading-places"

    @property
    def versions(self) -> Path:
        """The folder of the program's versions that updates brought, beside the library."""
        return self.library.parent / "versions"


def find_home(environment: Mapping[str, str] | None = None) -> Home:
    """Name the user's places; nothing is made.

    Parameters
    ----------
    environment
        Where ``MAMMOSCOPE_HOME`` is looked up: one folder for everything. Without it the
        platform's own folders are used (`platformdirs`).
    """
    variables = os.environ if environment is None else environment
    moved = variables.get(VARIABLE, "")
    if moved:
        root = Path(moved).expanduser()
        return Home(
            root / "settings.toml", root / "library.sqlite", root / "models", root / "logs"
        )
    config = platformdirs.user_config_path(APPLICATION, appauthor=False)
    data = platformdirs.user_data_path(APPLICATION, appauthor=False)
    logs = platformdirs.user_log_path(APPLICATION, appauthor=False)
    return Home(config / "settings.toml", data / "library.sqlite", data / "models", logs)
