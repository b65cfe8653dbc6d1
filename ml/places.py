"""Where the files lie that come with the program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Beside the package, in a checkout and in a frozen program alike: a PyInstaller folder keeps
# `ml/` and `resources/` side by side under `_internal/`.
RESOURCES = Path(__file__).resolve().parent.parent / "resources"
MODELS = RESOURCES / "models"
SAMPLES = RESOURCES / "samples"
ICONS = RESOURCES / "icons"
# Names a folder of models to take instead of the program's own.
MODELS_VARIABLE = "MAMMOSCOPE_MODELS"
# Names the folder of the user's own models (`ml.versions`); unset: there are none.
OWN_MODELS_VARIABLE = "MAMMOSCOPE_OWN_MODELS"
# The generator's folder among the models'.
GENERATOR = "generator"


def models_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the packs in use are."""
    return Path(environment.get(MODELS_VARIABLE) or MODELS)


def own_models_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where the user's own models are; None where a folder was named instead of all others."""
    own = environment.get(OWN_MODELS_VARIABLE)
    return Path(own) if own and not environment.get(MODELS_VARIABLE) else None
