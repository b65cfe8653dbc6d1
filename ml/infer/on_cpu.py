"""OpenVINO on the CPU: in bf16 where the processor has it, and without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.errors import ModelError
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
        ``"bf16"`` or ``"f32"``; empty: bf16 where the processor computes it natively.
    """

    def __init__(self, precision: str = "") -> None:
        import openvino

        self._core = openvino.Core()
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = precision or ("bf16" if native else "f32")

    @property
    def name(self) -> str:
        """For the reader."""
        return f"OpenVINO {self._precision}"

    def load(self, pack: ModelPack) -> Graph:
        """Compile the graph.

        Raises
        ------
        ModelError
            Where this OpenVINO cannot compile it.
        """
        config = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            compiled = self._core.compile_model(str(pack.graph), "CPU", config)
        except RuntimeError as error:
            raise ModelError(
                mark("The model {model} cannot be run here; install the model again."),
                detail=str(error),
                model=pack.card.name,
            ) from error
        request = compiled.create_infer_request()

        def compute(canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            request.infer([canvas])
            count = len(compiled.outputs)
            # Copies: the request's own arrays are overwritten by the next image.
            return [np.array(request.get_output_tensor(i).data) for i in range(count)]

        return compute
