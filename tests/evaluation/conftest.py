"""Pairs of small masks on disk, and a model of attributes with images that it knows."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from dermseg.datasets import Isic2018
from dermseg.images import write_image, write_mask

# A script with dependencies of its own, which must not be imported in search of doctests.
collect_ignore = [
    "golden/make_golden.py",
    "golden/make_monai_golden.py",
    "golden_attributes/make_golden.py",
]


@pytest.fixture
def lesion() -> NDArray[np.bool_]:
    """A mask of 6 x 10 pixels with a lesion of 20."""
    mask = np.zeros((6, 10), dtype=np.bool_)
    mask[1:5, 2:7] = True
    return mask


@pytest.fixture
def make_masks(tmp_path: Path) -> Callable[..., Path]:
    """Write masks by file stem into a folder, and return the folder."""

    def make(name: str, masks: dict[str, NDArray[np.bool_]]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for stem, mask in masks.items():
            write_mask(folder / f"{stem}.png", mask)
        return folder

    return make


CLASSES = ("globules", "streaks")
SIDE = 40
SKIN, LESION_COLOR = (225, 190, 170), (60, 60, 60)
COLORS = {"globules": (200, 60, 60), "streaks": (60, 60, 200)}


@pytest.fixture
def attribute_package(tmp_path: Path, dark_package: Path) -> Path:
    """Globules are redder than green, and streaks bluer, the more so the more likely."""
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[0, :, 0, 0] = 20, -20, 0
    weight[1, :, 0, 0] = 0, -20, 20
    bias = np.full(2, -5, np.float32)
    shape: list[str | int | None] = ["batch", 3, SIDE, SIDE]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "weight", "bias"], ["logits"])],
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2, SIDE, SIDE])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    content = model.SerializeToString()
    folder = shutil.copytree(dark_package, tmp_path / "colours")
    (folder / "model.onnx").write_bytes(content)
    spec = json.loads((folder / "model.json").read_text("utf-8"))
    spec |= {
        "name": "colours",
        "input_size": [SIDE, SIDE],
        "classes": list(CLASSES),
        "onnx_sha256": hashlib.sha256(content).hexdigest(),
        "lesion_crop": {"model": str(dark_package), "margin": 1.0, "inside_only": False},
    }
    (folder / "model.json").write_text(json.dumps(spec), "utf-8")
    return folder


@pytest.fixture
def make_attributes(tmp_path: Path) -> Callable[..., Path]:
    """Write images of ISIC 2018 with a lesion and the named structures, and all their masks."""

    def make(shown: Sequence[Sequence[str]], sides: Sequence[int] | None = None) -> Path:
        root = tmp_path / "isic2018"
        images, lesions, truth = (
            root / f"ISIC2018_{name}"
            for name in (
                "Task1-2_Training_Input",
                "Task1_Training_GroundTruth",
                "Task2_Training_GroundTruth_v3",
            )
        )
        for folder in (images, lesions, truth):
            folder.mkdir(parents=True)
        for number, names in enumerate(shown):
            id = f"ISIC_{number:07}"
            side = 20 if sides is None else sides[number]
            lesion = np.zeros((SIDE, SIDE), np.bool_)
            lesion[4 : 4 + side, 4 : 4 + side] = True
            image = np.where(lesion[..., None], LESION_COLOR, SKIN).astype(np.uint8)
            for name in Isic2018.attributes:
                mask = np.zeros_like(lesion)
                if name in names:
                    column = 6 if name == "globules" else 10
                    mask[6:10, column : column + 3] = True
                    image[mask] = COLORS[name]
                write_mask(truth / f"{id}_attribute_{name}.png", mask)
            write_image(images / f"{id}.png", image)
            write_mask(lesions / f"{id}_segmentation.png", lesion)
        return root

    return make
