"""From a training run to a model package. Needs the extra ``train``."""

from dermseg.export.onnx import compare_onnx, write_onnx
from dermseg.export.package_editing import (
    copy_package,
    describe_package,
    quantize_package,
    tune_package,
)
from dermseg.export.quantizing import CalibrationImages, choose_images, quantize_onnx
from dermseg.export.run_export import NOT_STATED, ExportOptions, export_run
from dermseg.export.run_reading import RunRecord
from dermseg.export.scores import read_score
from dermseg.export.weights import read_weights

__all__ = [
    "NOT_STATED",
    "CalibrationImages",
    "ExportOptions",
    "RunRecord",
    "choose_images",
    "compare_onnx",
    "copy_package",
    "describe_package",
    "export_run",
    "quantize_onnx",
    "quantize_package",
    "read_score",
    "read_weights",
    "tune_package",
    "write_onnx",
]
