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

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of a batch; (N, 3, H, W) in, (N, maps, H, W) float32 out."""
        ...
