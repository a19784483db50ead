"""Run a package's network through ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as reasons

from dermseg.errors import PackageError
from dermseg.package.loading import ModelPackage

__all__ = ["Runtime"]

# They have no base but Exception in common.
_REFUSALS = (
    reasons.Fail,
    reasons.InvalidArgument,
    reasons.InvalidGraph,
    reasons.InvalidProtobuf,
    reasons.NotImplemented,
    reasons.RuntimeException,
)


class Runtime:
    """A loaded network: batches of input in, class probabilities out.

    Args:
        package: The model.
        num_threads: Threads of one inference; None leaves the choice to ONNX Runtime.

    Raises:
        PackageError: If ONNX Runtime does not accept the graph, or it is not for images of the
            size, or not for the classes and the head, that ``model.json`` says.
    """

    def __init__(self, package: ModelPackage, *, num_threads: int | None = None) -> None:
        self.spec = package.spec
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for work in a loop would take the cores from reading and writing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if num_threads is not None:
            options.intra_op_num_threads = num_threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(package.onnx_path), options, providers=["CPUExecutionProvider"]
            )
        except _REFUSALS as error:
            message = f"{package.onnx_path}: ONNX Runtime refuses it: {error}"
            raise PackageError(message) from error
        found = {node.name: node.shape[1:] for node in self._session.get_inputs()}
        expected = {"images": [3, *self.spec.input_size]}
        if found != expected:
            message = (
                f"{package.onnx_path}: it takes {found}, but model.json expects {expected} "
                "(channels, height, width): export the package again"
            )
            raise PackageError(message)
        self._check_maps(package)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of a batch.

        Args:
            inputs: (N, 3, height, width) float32, preprocessed.

        Returns:
            (N, classes, height, width) float32 in [0, 1]; a background's is left out.
        """
        (logits,) = self._session.run(["logits"], {"images": inputs})
        scaled = logits / np.float32(self.spec.temperature)
        if self.spec.head == "sigmoid":
            return _sigmoid(scaled)
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return probabilities[:, 1:]

    def _check_maps(self, package: ModelPackage) -> None:
        shapes = {node.name: node.shape for node in self._session.get_outputs()}
        num_maps = shapes.get("logits", [0, 0])[1]
        if num_maps != self.spec.num_maps:
            background = " and the background" if self.spec.head == "softmax" else ""
            message = (
                f"{package.onnx_path}: it gives {num_maps} maps of logits, but model.json expects "
                f"{self.spec.num_maps}, for {', '.join(self.spec.classes)}{background} under "
                f"{self.spec.head}: export the package again"
            )
            raise PackageError(message)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # By tanh, which does not overflow for large logits.
    half = np.float32(0.5)
    probabilities: NDArray[np.float32] = half * np.tanh(half * logits) + half
    return probabilities
