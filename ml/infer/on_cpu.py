"""OpenVINO on the CPU: in bf16 where the processor has it, and without torch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import ModelError
from ml.infer.stored_graph import read_graph
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.infer.engine import Graph
    from ml.registry import ModelPack


class CpuEngine:
    """Compiles a pack's exported graph for this processor.

    Parameters
    ----------
    precision
        ``"bf16"`` or ``"f32"``; empty: bf16 where the processor computes it natively and the
        pack's card says that the model bears it.
    together
        How many images are looked at side by side, each by its share of the cores and on a
        thread of the caller's: one image takes longer, and many take less.
    """

    def __init__(self, precision: str = "", together: int = 1) -> None:
        import openvino

        self._core = openvino.Core()
        self._precision, self.together = precision, together
        self._used: set[str] = set()

    @property
    def has_bf16(self) -> bool:
        """Whether the processor computes bf16 natively."""
        return "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    @property
    def name(self) -> str:
        """For the reader."""
        return " ".join(("OpenVINO", "/".join(sorted(self._used)))).strip()

    def load(self, pack: ModelPack) -> Graph:
        """Compile the graph.

        Raises
        ------
        ModelError
            Where this OpenVINO cannot compile it.
        """
        precision = self._precision or (pack.card.precision if self.has_bf16 else "f32")
        self._used.add(precision)
        config = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY" if self.together == 1 else "THROUGHPUT",
            "NUM_STREAMS": self.together,
        }
        try:
            compiled = self._core.compile_model(read_graph(self._core, pack), "CPU", config)
        except RuntimeError as error:
            raise ModelError(
                mark("The model {model} cannot be run here; install the model again."),
                detail=str(error),
                model=pack.card.name,
            ) from error
        own = threading.local()

        def compute(canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            if not hasattr(own, "request"):
                own.request = compiled.create_infer_request()
            request = own.request
            request.infer([canvas])
            count = len(compiled.outputs)
            # Copies: the request's own arrays are overwritten by the next image.
            return [np.array(request.get_output_tensor(i).data) for i in range(count)]

        return compute
