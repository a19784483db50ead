"""From a training run to a model package. Needs the extra ``train``."""

from dermseg.export.onnx import compare_onnx, write_onnx
from dermseg.export.package_writing import (
    RunRecord,
    add_score,
    export_run,
    read_score,
    tune_package,
)

__all__ = [
    "RunRecord",
    "add_score",
    "compare_onnx",
    "export_run",
    "read_score",
    "tune_package",
    "write_onnx",
]
