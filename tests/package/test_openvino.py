"""OpenVINO agrees with ONNX Runtime, and is not touched where it is not wanted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dermseg.errors import MissingExtraError, PackageError, UsageError
from dermseg.package import Runtime, load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import load_model

needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs [openvino]")


@needs_openvino
@pytest.mark.parametrize("num_images", [1, 3])
def test_probabilities_of_the_shipped_model_agree(num_images: int) -> None:
    package = load_package()
    one = Runtime(package, runtime="onnx")
    other = Runtime(package, runtime="openvino", precision="float32")
    assert (one.name, other.name) == ("onnx", "openvino")
    assert one.precision == other.precision == "float32"
    shape = (num_images, 3, *package.spec.input_size)
    inputs = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    first = other(inputs)
    assert np.abs(one(inputs) - first).max() < 1e-4
    kept = first.copy()
    other(inputs + 1)
    assert np.array_equal(first, kept)


@needs_openvino
def test_masks_agree_in_all_but_a_few_pixels() -> None:
    one = load_model(runtime="onnx")
    other = load_model(runtime="openvino", precision="float32")
    for seed in range(4):
        image = create_phantom(seed).image
        masks = one.predict(image).mask, other.predict(image).mask
        assert np.count_nonzero(masks[0] != masks[1]) <= 1e-4 * masks[0].size


@needs_openvino
def test_threads_share_a_model(dark_package: Path) -> None:
    network = Runtime(load_package(dark_package), runtime="openvino")
    inputs = np.random.default_rng(0).random((6, 2, 3, 48, 64), np.float32)
    expected = [network(batch) for batch in inputs]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(network, [*inputs] * 20))
    assert all(
        np.array_equal(result, expected[number % 6]) for number, result in enumerate(results)
    )


@needs_openvino
def test_auto_takes_openvino_and_onnx_does_not_import_it(dark_package: Path) -> None:
    network = Runtime(load_package(dark_package))
    assert (network.name, network.precision) == ("openvino", "float32")
    code = (
        "import sys, dermseg; dermseg.load_model(sys.argv[1], runtime='onnx')\n"
        "assert 'openvino' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(dark_package)], check=True)


@needs_openvino
def test_a_graph_of_another_size_is_refused(make_package: Callable[..., Path]) -> None:
    folder = make_package(np.eye(3, dtype=np.float32)[:1])
    path = folder / "model.json"
    path.write_text(path.read_text("utf-8").replace("2,\n 2", "4,\n 4").replace("[2, 2]", "[4, 4]"))
    with pytest.raises(PackageError, match="export the package again"):
        Runtime(load_package(folder), runtime="openvino")


@pytest.mark.skipif(find_spec("openvino") is not None, reason="needs a missing [openvino]")
def test_without_the_extra_it_is_named_and_auto_takes_onnx(dark_package: Path) -> None:
    package = load_package(dark_package)
    assert Runtime(package).name == "onnx"
    with pytest.raises(MissingExtraError, match=r"pip install 'dermseg\[openvino\]'"):
        Runtime(package, runtime="openvino")


@pytest.mark.parametrize("wrong", [{"runtime": "tensorrt"}, {"precision": "int3"}])
def test_unknown_choices_are_refused_with_the_known_ones(
    dark_package: Path, wrong: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match="expected one of auto"):
        Runtime(load_package(dark_package), **wrong)  # type: ignore[arg-type]
