"""A model that tells colours apart, and images in these colours."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit
from numpy.typing import NDArray

from dermseg.images import write_image, write_mask
from dermseg.recipes import Recipe
from dermseg.types import Sample


@pytest.fixture(scope="session")
def color_package(tmp_path_factory: pytest.TempPathFactory, dark_package: Path) -> Path:
    """A model of 48x64 whose probability of globules is the red of a pixel, of streaks the green.

    Colours of 0 to 1 become probabilities of 0.05 to 0.95, rising.
    """
    import onnx  # noqa: PLC0415 -- only the tests that ask for it need onnx
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    folder = shutil.copytree(dark_package, tmp_path_factory.mktemp("colors") / "model")
    steep = 2 * np.log(19)
    weight = np.eye(2, 3, dtype=np.float32).reshape(2, 3, 1, 1) * np.float32(steep)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "weight", "bias"], ["logits"])],
        "colors",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 48, 64])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2, 48, 64])],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.full(2, -steep / 2, np.float32), "bias"),
        ],
    )
    opset = helper.make_opsetid("", 20)
    content = helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString()
    onnx.checker.check_model(onnx.load_from_string(content))
    (folder / "model.onnx").write_bytes(content)
    spec = json.loads((folder / "model.json").read_text("utf-8"))
    spec |= {
        "name": "colors",
        "classes": ["globules", "streaks"],
        "onnx_sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / "model.json").write_text(json.dumps(spec), "utf-8")
    return folder


@pytest.fixture
def recipe_file(tmp_path: Path, make_recipe: Callable[..., Recipe]) -> Path:
    """A tiny recipe as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(tomlkit.dumps(make_recipe().to_dict()), "utf-8")
    return path


@pytest.fixture(scope="session")
def color_samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Six images of 192x256 with masks of globules and streaks, drawn in blocks of 4 pixels.

    Globules are discs of red 0.4 on 0.1, in the first four images; a hair of one block in the same
    red runs across every image. Streaks are a square of green 0.8 on 0.3, in the second image
    only; in the last one nobody marked them.
    """
    folder = tmp_path_factory.mktemp("color-samples")
    y, x = np.mgrid[:48, :64]
    samples = []

    def enlarge(picture: NDArray[Any]) -> NDArray[Any]:
        return picture.repeat(4, axis=0).repeat(4, axis=1)

    for number in range(6):
        disc = (x - 20 - 5 * number) ** 2 + (y - 22) ** 2 <= 11**2
        disc &= number < 4
        square = (abs(x - 40) < 8) & (abs(y - 30) < 8) & (number == 1)
        image = np.zeros((48, 64, 3))
        image[..., 0] = np.where(disc | (y == 40), 0.4, 0.1)
        image[..., 1] = np.where(square, 0.8, 0.3)
        id = f"ISIC_{number:07}"
        write_image(folder / f"{id}.png", enlarge(np.rint(255 * image).astype(np.uint8)))
        masks = {"globules": disc, "streaks": square}
        if number == 5:
            del masks["streaks"]
        for name, mask in masks.items():
            write_mask(folder / f"{id}_attribute_{name}.png", enlarge(mask))
        files = {name: folder / f"{id}_attribute_{name}.png" for name in masks}
        image_file = folder / f"{id}.png"
        samples.append(Sample(id, image_file, mask=None, group=id, attributes=files))
    return samples
