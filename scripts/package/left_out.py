"""What the reader's edition is built without: for PyInstaller's plan and tests of it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# With one of these it would be a gigabyte larger: `freeze.py` looks that none came along.
LARGE = ("torch", "torchvision", "ultralytics", "diffusers", "transformers", "nvidia")
PACKAGES = (
    *LARGE,
    *("triton", "efficientnet_lite_pytorch", "sklearn", "matplotlib", "pandas", "IPython"),
    *("tkinter", "pytest", "hypothesis", "babel", "setuptools", "pip"),
    # Second decoders, for the tests; and themes of a desktop that is not bundled.
    *("libjpeg", "openjpeg", "pylibjpeg", "_libjpeg", "_openjpeg"),
    # Converters of other people's formats; ours are made once, by ml.train.
    *("openvino.tools", "openvino.torch", "openvino.frontend"),
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtPdf", "PySide6.QtVirtualKeyboard"),
)
# Rooms of training, generation and measurement, and what the viewer imports of them.
ROOMS = ("audit", "data", "evaluate", "models", "synth", "train")
KEPT = frozenset(
    {
        *("ml.audit.report", "ml.evaluate.holm", "ml.train.order"),
        *("ml.synth.balance", "ml.synth.order", "ml.synth.output", "ml.synth.pack"),
        *("ml.synth.png_texts", "ml.synth.precision", "ml.synth.prompts"),
    }
)


def left_out() -> list[str]:
    """Names of packages and modules; what lies in a package goes with it."""
    ours = [
        f"ml.{room}.{path.stem}"
        for room in ROOMS
        for path in sorted((ROOT / "ml" / room).iterdir())
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    ]
    return [*PACKAGES, *(name for name in ours if name not in KEPT)]


_NAMES = frozenset(left_out())


def is_left_out(module: str) -> bool:
    """Whether a module, or a package that it lies in, is left out."""
    parts = module.split(".")
    return any(".".join(parts[:count]) in _NAMES for count in range(1, len(parts) + 1))
