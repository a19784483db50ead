"""Run a network through ONNX Runtime."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from dermseg.errors import PackageError, RunError
from dermseg.package.session import Nodes

__all__ = ["OnnxSession", "has_cuda"]

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"


def has_cuda() -> bool:
    """Whether the installed build of ONNX Runtime is one for CUDA."""
    return _CUDA in onnxruntime.get_available_providers()


class OnnxSession:
    """A graph in ONNX Runtime: on CUDA where the installed build has it, else on the processor.

    Args:
        path: The ONNX file.
        num_threads: Threads of one inference; None leaves the choice to ONNX Runtime.

    Raises:
        PackageError: If ONNX Runtime does not accept the graph.
    """

    name = "onnx"
    precision = "float32"

    def __init__(self, path: Path, *, num_threads: int | None) -> None:
        # In case it was loaded before dermseg, which forbids it in the environment.
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is an error is raised as one
        # Threads that wait for work in a loop would take the cores from reading and writing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if num_threads is not None:
            options.intra_op_num_threads = num_threads
        providers: list[str | tuple[str, dict[str, str]]] = [_CPU]
        if has_cuda():
            # TF32 would round inputs to 10 bits.
            providers.insert(0, (_CUDA, {"use_tf32": "0"}))
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:
            message = f"{path}: ONNX Runtime refuses it: {_reason(error)}"
            raise PackageError(message) from error
        self.inputs, self.outputs = (
            {node.name: [d if isinstance(d, int) else None for d in node.shape] for node in nodes}
            for nodes in (self._session.get_inputs(), self._session.get_outputs())
        )

    inputs: Nodes
    outputs: Nodes

    def run(self, images: NDArray[np.float32], *, seconds: float) -> NDArray[np.generic]:
        """See :class:`Session`."""
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        watch = threading.Timer(seconds, setattr, (options, "terminate", True))
        watch.daemon = True
        watch.start()
        try:
            (logits,) = self._session.run(["logits"], {"images": images}, options)
        except Exception as error:
            reason = f"after {seconds:.0f} s" if options.terminate else _reason(error)
            message = f"ONNX Runtime cannot run the network on {images.shape}: {reason}"
            raise RunError(message) from error
        finally:
            watch.cancel()
        return np.asarray(logits)


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
