"""What is not needed is not imported: ``--help`` and a single image start quickly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dermseg.images import write_image

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]

_SCRIPT = """
import sys
from dermseg.cli import main

try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("IMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
_FOR_SOME = {
    "IPython", "jinja2", "lightning", "matplotlib", "onnx", "pandas", "polars", "pycocotools",
    "requests", "rich", "scipy", "torch", "torchvision",
}  # fmt: skip
_FOR_PREDICTION = {"PIL", "cv2", "numpy", "onnxruntime", "openvino", "pydantic"}


def imported_by(*arguments: object) -> set[str]:
    """Top-level modules that a run of the command line has imported when it ends."""
    call = [sys.executable, "-c", _SCRIPT, *map(str, arguments)]
    output = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    return set(output.rpartition("IMPORTED ")[2].split())


@pytest.mark.parametrize("command", ["", "predict", "evaluate", "train", "export", "data"])
def test_help_imports_none_of_the_heavy_modules(command: str) -> None:
    imported = imported_by(*command.split(), "--help")
    assert {"dermseg", "typer"} <= imported
    # typer takes pydantic to read the options of a command.
    allowed = {"pydantic"} if command else set()
    assert not imported & (_FOR_PREDICTION | _FOR_SOME) - allowed


def test_an_image_imports_nothing_of_the_extras_and_no_progress_bar(
    dark_package: Path, tmp_path: Path, disc: Disc
) -> None:
    image, _ = disc((96, 128), centre=(64, 48), radius=24)
    write_image(tmp_path / "a.jpg", image)
    options = ("-o", tmp_path / "out", "--model", dark_package, "--runtime", "onnx")
    imported = imported_by("predict", tmp_path / "a.jpg", *options)
    assert "onnxruntime" in imported
    assert not imported & (_FOR_SOME | {"openvino"})
