"""What other runs start from: the weights by name, kept once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dermseg.errors import PackageError
from dermseg.export import ExportOptions, export_run, read_weights, write_onnx
from dermseg.export.weights import WEIGHTS, write_weights
from dermseg.networks import SegmentationNetwork, create_network


def assert_same(
    found: dict[str, torch.Tensor], network: SegmentationNetwork, *, half: bool
) -> None:
    expected = network.state_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        stored = value.half() if half and value.is_floating_point() else value
        assert torch.equal(found[name], stored.float()) or torch.equal(found[name], value), name


@pytest.mark.slow
@pytest.mark.parametrize(("flips", "half"), [(False, False), (True, False), (True, True)])
def test_weights_come_back_though_the_file_holds_only_what_the_graph_lacks(
    tmp_path: Path, run: Path, network: SegmentationNetwork, *, flips: bool, half: bool
) -> None:
    export_run(run, tmp_path / "model", ExportOptions(flips=flips, half_weights=half))
    assert_same(read_weights(tmp_path / "model"), network, half=half)
    kept = load_file(tmp_path / "model" / WEIGHTS)
    assert all(name.endswith(".num_batches_tracked") for name in kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet", "ege_unet", "improved_unet", "xception_unet"])
def test_weights_of_every_kind_of_layer_come_back(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    network = create_network(name).eval()
    write_onnx(network, tmp_path / "model.onnx", size=(64, 64), half_weights=True)
    write_weights(network, tmp_path, half=True)
    assert_same(read_weights(tmp_path), network, half=True)
    held = sum(value.numel() for value in load_file(tmp_path / WEIGHTS).values())
    assert held < 0.15 * sum(value.numel() for value in network.state_dict().values())


def test_file_with_all_weights_is_enough(tmp_path: Path, network: SegmentationNetwork) -> None:
    save_file(network.state_dict(), tmp_path / WEIGHTS)
    assert_same(read_weights(tmp_path), network, half=False)


def test_packages_without_weights_of_one_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no weights to start from"):
        read_weights(tmp_path)
