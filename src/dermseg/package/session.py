"""The interface of every runtime: a loaded graph, and its batches."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Nodes", "Precision", "RuntimeName", "Session"]

RuntimeName = Literal["auto", "onnx", "openvino"]
Precision = Literal["auto", "float32"]

Nodes: TypeAlias = dict[str, list[int | None]]
"""Shape by name of inputs or outputs; None for what is not fixed."""


class Session(Protocol):
    """A graph in one of the runtimes; threads may share it.

    Attributes:
        name: ``onnx`` or ``openvino``.
        precision: In which it calculates, as the runtime calls it.
        inputs: Shape by name.
        outputs: Shape by name.
    """

    name: str
    precision: str
    inputs: Nodes
    outputs: Nodes

    def run(self, images: NDArray[np.float32], *, seconds: float) -> NDArray[np.generic]:
        """What a graph says of a batch, (N, 3, H, W); whatever that is, it is not checked.

        Args:
            images: The batch.
            seconds: After which the graph is stopped: its loops may have no end.

        Raises:
            RunError: If the graph cannot be run, or is not done in time.
        """
        ...
