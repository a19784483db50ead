"""A small network, and a run folder as training leaves it, made without training."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit
import torch

from dermseg.export import RunRecord
from dermseg.networks import SegmentationNetwork, create_network
from dermseg.package import DataSource
from dermseg.preprocessing import Normalization
from dermseg.recipes import Recipe, parse_recipe

RECIPE = """
name = "small"
description = "A small network with drawn weights"
seed = 5

[preprocessing]
size = [32, 48]

[network]
name = "residual_unet"
parameters = { widths = [8, 16] }

[[loss]]
name = "bce"

[training]
epochs = 9
batch_size = 2
lr = 1e-3
"""


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return parse_recipe(RECIPE)


@pytest.fixture(scope="session")
def network(recipe: Recipe) -> SegmentationNetwork:
    """The recipe's network, with batch statistics that are not those of a new one."""
    torch.manual_seed(0)
    network = create_network(recipe.network.name, parameters=recipe.network.parameters).train()
    network(torch.rand(4, 3, 32, 48))
    return network.eval()


@pytest.fixture
def run(tmp_path: Path, recipe: Recipe, network: SegmentationNetwork) -> Path:
    """A run folder whose best epoch was the fourth."""
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "recipe.toml").write_text(tomlkit.dumps(recipe.to_dict()), "utf-8")
    record = RunRecord(
        normalization=Normalization(mean=(0.5, 0.25, 0.125), std=(0.5, 0.5, 0.5)),
        data=[DataSource(name="folder", licence="CC0", fingerprint="ab" * 32, num_images=9)],
        training_ids=["a", "b"],
        selection_ids=["c"],
        commit="0123abc",
    )
    (folder / "run.json").write_text(record.model_dump_json(), "utf-8")
    weights = {f"network.{key}": value for key, value in network.state_dict().items()}
    checkpoint = {"state_dict": weights | {"loss.unused": torch.zeros(1)}, "epoch": 3}
    torch.save(checkpoint, folder / "checkpoints" / "best.ckpt")
    return folder


@pytest.fixture(scope="session")
def onnx_file(tmp_path_factory: pytest.TempPathFactory, network: SegmentationNetwork) -> Path:
    """The network as ONNX."""
    from dermseg.export import write_onnx  # noqa: PLC0415 -- slow to import

    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_onnx(network, path, size=(32, 48))
    return path
