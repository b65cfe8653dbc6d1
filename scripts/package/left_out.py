"""What each edition is built without: for PyInstaller's plan and tests of it.

The reader's edition views, analyzes, screens and exports, on a CPU, by OpenVINO. The studio
edition has all of the program; only what developers need stays out of it.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READER, STUDIO = "reader", "studio"
EDITIONS = (READER, STUDIO)
# With one of these it would be a gigabyte larger: `freeze.py` looks that none came along.
LARGE = ("torch", "torchvision", "ultralytics", "diffusers", "transformers", "nvidia")
# What nobody who uses the program needs.
OF_DEVELOPERS = (
    *("tkinter", "curses", "readline", "pytest", "_pytest", "hypothesis", "babel", "pip"),
    *("IPython", "pydoc_data", "idlelib", "lib2to3", "openvino.tools"),
    # Second decoders, for the tests; and themes of a desktop that is not bundled.
    *("libjpeg", "openjpeg", "pylibjpeg", "_libjpeg", "_openjpeg"),
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtPdf", "PySide6.QtVirtualKeyboard"),
    # Dialects of databases that the library is not kept in.
    *(f"sqlalchemy.dialects.{name}" for name in ("mssql", "mysql", "oracle")),
)
OF_STUDIO = (
    *LARGE,
    *("triton", "efficientnet_lite_pytorch", "sklearn", "matplotlib", "pandas", "setuptools"),
    *("scipy", "yaml", "cuda", "requests", "tqdm", "charset_normalizer"),
    # Converters of other people's networks; ours are made once, by ml.train.
    *("openvino.torch", "openvino.frontend", "pygments"),
    "PySide6.QtTest",
)
# A compiler for GPUs, 0.9 GB: nothing here asks torch to compile.
OUT_OF_STUDIO = ("triton",)
# Rooms of training, generation and measurement, and what the viewer imports of them.
ROOMS = ("audit", "data", "evaluate", "models", "phantom", "synth", "train")
KEPT = frozenset(
    {
        *("ml.audit.report", "ml.evaluate.holm", "ml.train.order"),
        *("ml.synth.balance", "ml.synth.order", "ml.synth.output", "ml.synth.pack"),
        *("ml.synth.png_texts", "ml.synth.precision", "ml.synth.prompts"),
    }
)


def left_out(edition: str = READER) -> list[str]:
    """Names of packages and modules; what lies in a package goes with it."""
    if edition == STUDIO:
        return [*OF_DEVELOPERS, *OUT_OF_STUDIO]
    ours = [
        f"ml.{room}.{path.stem}"
        for room in ROOMS
        for path in sorted((ROOT / "ml" / room).iterdir())
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    ]
    return [*OF_DEVELOPERS, *OF_STUDIO, *(name for name in ours if name not in KEPT)]


_NAMES = {edition: frozenset(left_out(edition)) for edition in EDITIONS}


def is_left_out(module: str, edition: str = READER) -> bool:
    """Whether a module, or a package that it lies in, is left out."""
    parts = module.split(".")
    names = _NAMES[edition]
    return any(".".join(parts[:count]) in names for count in range(1, len(parts) + 1))
