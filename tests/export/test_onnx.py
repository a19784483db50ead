"""ONNX files with equal numbers, and the comparison that proves it."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import dermseg
from dermseg.export import compare_onnx, write_onnx
from dermseg.export.onnx import round_weights
from dermseg.networks import SegmentationNetwork

SIZE = (32, 48)


def test_exported_numbers_equal_the_networks(network: SegmentationNetwork, onnx_file: Path) -> None:
    assert compare_onnx(network, onnx_file, size=SIZE) < 1e-5


def test_graph_takes_any_batch_and_one_size(network: SegmentationNetwork, onnx_file: Path) -> None:
    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    (images,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.shape[1:]) == ("images", [3, *SIZE])
    assert logits.name == "logits"
    inputs = torch.rand(5, 3, *SIZE)
    with torch.inference_mode():
        expected = network(inputs).numpy()
    (found,) = session.run(None, {"images": inputs.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_graph_is_one_file_that_holds_its_weights(onnx_file: Path) -> None:
    assert [path.name for path in onnx_file.parent.iterdir()] == ["model.onnx"]
    model = onnx.load(onnx_file)
    onnx.checker.check_model(model)
    assert all(not tensor.external_data for tensor in model.graph.initializer)


def test_graph_says_nothing_of_the_machine_that_wrote_it(onnx_file: Path) -> None:
    content = onnx_file.read_bytes()
    assert b"forward" not in content
    assert str(Path(dermseg.__file__).parent).encode() not in content


@pytest.mark.parametrize("change", [0.02, math.nan])
def test_another_networks_graph_is_detected(
    network: SegmentationNetwork, onnx_file: Path, change: float
) -> None:
    other = copy.deepcopy(network)
    with torch.no_grad():
        next(iter(other.parameters())).view(-1)[0] += change
    difference = compare_onnx(other, onnx_file, size=SIZE)
    assert not difference <= 1e-4


@pytest.mark.slow
def test_half_weights_are_half_the_size_and_the_rounded_networks_to_the_digit(
    network: SegmentationNetwork, onnx_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.onnx"
    write_onnx(network, path, size=SIZE, half_weights=True)
    floats = {onnx.TensorProto.FLOAT16: True, onnx.TensorProto.FLOAT: False}
    stored = [tensor for tensor in onnx.load(path).graph.initializer if tensor.data_type in floats]
    # Each output of a rounded weight sums many products; norms and thin layers stay as they are.
    rounded = {tensor.name: np.prod(tensor.dims[1:]) >= 64 for tensor in stored}
    assert {tensor.name: floats[tensor.data_type] for tensor in stored} == rounded
    assert set(rounded.values()) == {True, False}
    num_weights = sum(parameter.numel() for parameter in network.parameters())
    assert path.stat().st_size < onnx_file.stat().st_size - 1.2 * num_weights
    assert 1e-6 < compare_onnx(network, path, size=SIZE) < 1e-2
    other = copy.deepcopy(network)
    round_weights(other)
    assert compare_onnx(other, path, size=SIZE) < 1e-5
