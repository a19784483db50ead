"""Run a network through OpenVINO, the extra ``[openvino]``."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import MissingExtraError, PackageError, RunError, UsageError
from dermseg.package.session import Nodes, Precision

__all__ = ["OpenVinoSession", "is_installed"]

_NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}


def is_installed() -> bool:
    """Whether OpenVINO is there; it is not imported for the answer."""
    return find_spec("openvino") is not None


class OpenVinoSession:
    """A graph compiled for this machine's processor.

    Args:
        path: The ONNX file.
        precision: ``float32``, or ``auto`` for the fastest that the processor has units for,
            which may be bfloat16.
        num_threads: Threads of one inference; None leaves the choice to OpenVINO.

    Raises:
        MissingExtraError: If OpenVINO is not installed.
        PackageError: If OpenVINO does not accept the graph.
        UsageError: If OpenVINO is installed and cannot be imported.
    """

    name = "openvino"

    def __init__(self, path: Path, *, precision: Precision, num_threads: int | None) -> None:
        if not is_installed():
            raise MissingExtraError("the runtime openvino", "openvino")
        try:
            import openvino  # noqa: PLC0415 -- an optional extra, and slow to import
        except ImportError as error:
            message = (
                f"OpenVINO is installed but does not load ({error}): install it again, or choose "
                "the runtime onnx"
            )
            raise UsageError(message) from error

        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if precision == "float32":
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        if num_threads is not None:
            settings["INFERENCE_NUM_THREADS"] = num_threads
        try:
            self._model = openvino.Core().compile_model(str(path), "CPU", settings)
        except RuntimeError as error:
            # The message has a line for each layer of OpenVINO's source; the last has the reason.
            (*_, reason) = str(error).strip().splitlines()
            message = f"{path}: OpenVINO refuses it: {reason}"
            raise PackageError(message) from error
        self.inputs, self.outputs = (
            {port.any_name: _shape(port) for port in ports}
            for ports in (self._model.inputs, self._model.outputs)
        )
        kind = self._model.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.precision = _NAMES.get(kind, kind)
        self._request = self._model.create_infer_request()
        self._lock = threading.Lock()

    inputs: Nodes
    outputs: Nodes

    def run(self, images: NDArray[np.float32], *, seconds: float) -> NDArray[np.generic]:
        """See :class:`Session`."""
        # One at a time, and copied: OpenVINO refuses a second batch while it works on one, and
        # writes the next into the same memory.
        with self._lock:
            try:
                self._request.start_async({"images": images})
                is_done = self._request.wait_for(int(seconds * 1000))
                if is_done:
                    return np.array(self._request.get_tensor("logits").data)
                self._request.cancel()
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1]
                message = f"OpenVINO cannot run the network on {images.shape}: {reason}"
                raise RunError(message) from error
        message = f"OpenVINO is not done with {images.shape} after {seconds:.0f} s"
        raise RunError(message)


def _shape(port: Any) -> list[int | None]:  # noqa: ANN401 -- OpenVINO has no types
    return [d.get_length() if d.is_static else None for d in port.get_partial_shape()]
