"""Run a package's network, in whichever runtime."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import PackageError, RunError, UsageError
from dermseg.package.loading import ModelPackage
from dermseg.package.onnx_session import OnnxSession, has_cuda
from dermseg.package.openvino_session import OpenVinoSession, is_installed
from dermseg.package.session import Precision, RuntimeName, Session

__all__ = ["Runtime"]

_PROBE_SECONDS = 60.0
"""A network that takes longer for one image has a loop without end, or is of no use here."""


class Runtime:
    """A loaded network: batches of input in, class probabilities out.

    Args:
        package: The model.
        runtime: ``onnx``, ``openvino`` (the extra of this name), or ``auto``: ONNX Runtime where
            it has CUDA, else OpenVINO where it is installed.
        precision: ``float32``, in which all runtimes agree to 1e-4 in probabilities; or ``auto``,
            the fastest that the runtime finds on this machine.
        num_threads: Threads of one inference; None leaves the choice to the runtime.

    Attributes:
        name: The runtime that was chosen, ``onnx`` or ``openvino``.
        precision: In which it calculates, as the runtime calls it; ``int8`` for a package that was
            exported so, whatever was asked for.

    Raises:
        PackageError: If the runtime does not accept the graph, or it is not for images of the
            size, or not for the classes and the activation, that ``model.json`` says; or if what
            it says of noise is of another shape, not finite, or takes more than a minute.
        MissingExtraError: If OpenVINO is asked for and not installed.
        UsageError: If there is no such runtime or precision.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        runtime: RuntimeName = "auto",
        precision: Precision = "float32",
        num_threads: int | None = None,
    ) -> None:
        self.spec = package.spec
        _check_choice("runtime", runtime, get_args(RuntimeName))
        _check_choice("precision", precision, get_args(Precision))
        path = package.onnx_path
        if runtime == "auto":
            runtime = "openvino" if is_installed() and not has_cuda() else "onnx"
        self._session: Session
        if runtime == "openvino":
            self._session = OpenVinoSession(path, precision=precision, num_threads=num_threads)
        else:
            self._session = OnnxSession(path, num_threads=num_threads)
        self.name, self.precision = self._session.name, self._session.precision
        if package.spec.quantization is not None:
            self.precision = "int8"
        found = {name: shape[1:] for name, shape in self._session.inputs.items()}
        expected = {"images": [3, *self.spec.input_size]}
        if found != expected:
            message = (
                f"{path}: it takes {found}, but model.json expects {expected} "
                "(channels, height, width): export the package again"
            )
            raise PackageError(message)
        self._check_maps(package)
        self._seconds = self._probe(path)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of a batch.

        Args:
            inputs: (N, 3, height, width) float32, preprocessed.

        Returns:
            (N, classes, height, width) float32 in [0, 1], or NaN where the network overflows; a
            background's is left out.

        Raises:
            RunError: If the network cannot be run, does not come to an end, or gives another shape.
        """
        logits = self._logits(inputs, self._seconds * len(inputs))
        scaled = logits / np.float32(self.spec.temperature)
        if self.spec.activation == "sigmoid":
            return _sigmoid(scaled + np.float32(self.spec.bias))
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return probabilities[:, 1:]

    def _logits(self, inputs: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
        found = self._session.run(inputs, seconds=seconds)
        expected = (len(inputs), self.spec.num_maps, *self.spec.input_size)
        if found.shape != expected or not np.issubdtype(found.dtype, np.floating):
            message = (
                f"the network of the model {self.spec.name} gives {found.dtype} of shape "
                f"{found.shape}, expected floats of shape {expected}"
            )
            raise RunError(message)
        return np.asarray(found, np.float32)

    def _probe(self, path: Path) -> float:
        """Run the network once on noise; the seconds that an image may take at most."""
        size = (1, 3, *self.spec.input_size)
        noise = np.random.default_rng(0).standard_normal(size, np.float32)
        started = time.perf_counter()
        try:
            logits = self._logits(noise, _PROBE_SECONDS)
        except RunError as error:
            message = f"{path}: {error}: export the package again"
            raise PackageError(message) from error
        if not np.isfinite(logits).all():
            message = (
                f"{path}: it gives no finite numbers, even of noise: its weights are damaged or "
                "diverged; train or export it again"
            )
            raise PackageError(message)
        return _PROBE_SECONDS + 100 * (time.perf_counter() - started)

    def _check_maps(self, package: ModelPackage) -> None:
        outputs = self._session.outputs.get("logits", [])
        num_maps = outputs[1] if len(outputs) == 4 else 0
        if num_maps != self.spec.num_maps:
            background = " and the background" if self.spec.activation == "softmax" else ""
            message = (
                f"{package.onnx_path}: it gives {num_maps} maps of logits, but model.json expects "
                f"{self.spec.num_maps}, for {', '.join(self.spec.classes)}{background} under "
                f"{self.spec.activation}: export the package again"
            )
            raise PackageError(message)


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        message = f"no {what} '{value}': expected one of {', '.join(choices)}"
        raise UsageError(message)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # By tanh, which does not overflow for large logits.
    half = np.float32(0.5)
    probabilities: NDArray[np.float32] = half * np.tanh(half * logits) + half
    return probabilities
