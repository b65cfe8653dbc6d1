"""Images of several threads looked at together: a graphics card is hungrier than one image.

Nobody waits for a batch to fill: while one is on the card, those that come gather for the next.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.infer.engine import Graph

    Outputs = list[NDArray[np.float32]]


class Together:
    """A graph that many threads may call, and that computes what they bring in batches.

    Parameters
    ----------
    graph
        Takes (n, 1, rows, columns), and gives arrays of n.
    most
        Canvases in one batch; only those of one size share one.
    """

    def __init__(self, graph: Graph, most: int) -> None:
        self._graph, self._most = graph, most
        self._waiting: dict[tuple[int, ...], list[_Brought]] = {}
        self._adding, self._running = threading.Lock(), threading.Lock()

    def __call__(self, canvas: NDArray[np.float32]) -> Outputs:
        """Compute all outputs for a (1, 1, rows, columns) canvas.

        Raises
        ------
        Exception
            Whatever the graph raised for the batch that the canvas was in.
        """
        mine = _Brought(canvas)
        with self._adding:
            self._waiting.setdefault(canvas.shape, []).append(mine)
        with self._running:
            # Another thread may have taken it along; more may wait than one batch holds.
            while mine.outputs is None and mine.error is None:
                self._compute(self._next(canvas.shape))
        if mine.error is not None:
            raise mine.error
        assert mine.outputs is not None
        return mine.outputs

    def _next(self, shape: tuple[int, ...]) -> list[_Brought]:
        with self._adding:
            waiting = self._waiting[shape]
            self._waiting[shape] = waiting[self._most :]
        return waiting[: self._most]

    def _compute(self, batch: list[_Brought]) -> None:
        try:
            outputs = self._graph(np.concatenate([each.canvas for each in batch]))
        except Exception as error:  # noqa: BLE001 - told to every thread that brought a canvas
            for each in batch:
                each.error = error
            return
        for number, each in enumerate(batch):
            each.outputs = [part[number : number + 1] for part in outputs]


class _Brought:
    """A canvas, and what came of it."""

    __slots__ = ("canvas", "error", "outputs")

    def __init__(self, canvas: NDArray[np.float32]) -> None:
        self.canvas = canvas
        self.outputs: Outputs | None = None
        self.error: Exception | None = None
