"""What an engine is: one graph, a canvas in, arrays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.registry import ModelPack


class Graph(Protocol):
    """One loaded network."""

    def __call__(self, canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Compute all outputs for a (1, 1, rows, columns) canvas in [0, 1]."""
        ...


class Engine(Protocol):
    """Loads graphs onto one device."""

    @property
    def name(self) -> str:
        """What computes, for the reader: ``"OpenVINO bf16"``."""
        ...

    @property
    def together(self) -> int:
        """How many images its graphs look at together, each on a thread of the caller's."""
        ...

    def load(self, pack: ModelPack) -> Graph:
        """Load the network of a checked pack."""
        ...


def as_canvas(pixels: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The networks' input: (1, 1, rows, columns) float32 in [0, 1]."""
    return (np.asarray(pixels, np.float32) / np.float32(65535))[None, None]
