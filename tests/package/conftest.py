"""Packages to break, and networks of one layer."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Edit = Callable[..., Path]
MakePackage = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path, dark_package: Path) -> Path:
    """A whole package in a folder of its own."""
    return shutil.copytree(dark_package, tmp_path / "package")


@pytest.fixture
def edit(package: Path) -> Edit:
    """Set keys of model.json, and return the package."""

    def change(**values: Any) -> Path:
        path = package / "model.json"
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(content | values), "utf-8")
        return package

    return change


@pytest.fixture
def make_package(edit: Edit) -> MakePackage:
    """Make a package whose logits are a matrix times the colours of each pixel."""

    def make(weights: NDArray[np.float32], **values: Any) -> Path:
        num_classes = len(weights)
        weight = numpy_helper.from_array(weights.reshape(num_classes, 3, 1, 1), "weight")
        size = values.get("input_size", [2, 2])
        is_softmax = values.get("activation") == "softmax"
        graph = helper.make_graph(
            [helper.make_node("Conv", ["images", "weight"], ["logits"])],
            "colours",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, *size])],
            [
                helper.make_tensor_value_info(
                    "logits", TensorProto.FLOAT, ["batch", num_classes, *size]
                )
            ],
            [weight],
        )
        opset = helper.make_opsetid("", 20)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
        content = model.SerializeToString()
        folder = edit(
            input_size=size,
            classes=[f"class{number}" for number in range(num_classes - is_softmax)],
            onnx_sha256=hashlib.sha256(content).hexdigest(),
            **{key: value for key, value in values.items() if key != "input_size"},
        )
        onnx.checker.check_model(model)
        (folder / "model.onnx").write_bytes(content)
        return folder

    return make
