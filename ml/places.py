"""Where the files lie that come with the program."""

from pathlib import Path

# Beside the package, in a checkout and in a frozen program alike: a PyInstaller folder keeps
# `ml/` and `resources/` side by side under `_internal/`.
RESOURCES = Path(__file__).resolve().parent.parent / "resources"
MODELS = RESOURCES / "models"
SAMPLES = RESOURCES / "samples"
ICONS = RESOURCES / "icons"
