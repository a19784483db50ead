"""Several networks, or one and mirror images, in one package."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tomlkit
import torch
from torch import Tensor

from dermseg.errors import UsageError
from dermseg.export import ExportOptions, RunRecord, export_run, read_weights
from dermseg.export.ensemble import Ensemble
from dermseg.networks import SegmentationNetwork, create_network
from dermseg.package import Runtime, load_package
from dermseg.preprocessing import Normalization

FIRST = Normalization(mean=(0.5, 0.25, 0.125), std=(0.5, 0.5, 0.5))
SECOND = Normalization(mean=(0.25, 0.5, 0.5), std=(0.25, 0.5, 1.0))


@pytest.fixture(scope="session")
def other_network() -> SegmentationNetwork:
    """As the first, with other weights."""
    torch.manual_seed(1)
    network = create_network("residual_unet", parameters={"widths": [8, 16]}).train()
    network(torch.rand(4, 3, 32, 48))
    return network.eval()


@pytest.fixture
def other_run(run: Path, other_network: SegmentationNetwork) -> Path:
    """A fold of the same recipe: other images, another normalisation, other weights."""
    folder = run.with_name("other-run")
    shutil.copytree(run, folder)
    record = RunRecord.model_validate_json((folder / "run.json").read_bytes())
    changed = {"normalization": SECOND, "training_ids": ["c", "d"], "selection_ids": ["a", "e"]}
    (folder / "run.json").write_text(record.model_copy(update=changed).model_dump_json(), "utf-8")
    weights = {f"network.{key}": value for key, value in other_network.state_dict().items()}
    torch.save({"state_dict": weights, "epoch": 6}, folder / "checkpoints" / "best.ckpt")
    return folder


def normalized(normalization: Normalization, seed: int = 0) -> Tensor:
    """Two random images as a network wants them."""
    images = np.random.default_rng(seed).random((2, 32, 48, 3), dtype=np.float32)
    return torch.from_numpy(np.stack([normalization.apply(image) for image in images]))


def test_logits_are_the_mean_of_what_each_says_of_its_own_colours(
    network: SegmentationNetwork, other_network: SegmentationNetwork
) -> None:
    ensemble = Ensemble([network, other_network], [FIRST, SECOND], flips=False).eval()
    with torch.inference_mode():
        expected = (network(normalized(FIRST)) + other_network(normalized(SECOND))) / 2
        found = ensemble(normalized(FIRST))
    assert not torch.allclose(network(normalized(FIRST)), expected, atol=1e-2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_mirror_images_are_averaged_where_they_belong(network: SegmentationNetwork) -> None:
    ensemble = Ensemble([network], [FIRST], flips=True).eval()
    images = normalized(FIRST)
    with torch.inference_mode():
        expected = sum(
            network(images.flip(axes)).flip(axes) for axes in ([3], [2], [2, 3])
        ) + network(images)
        found = ensemble(images)
        mirrored = ensemble(images.flip(3)).flip(3)
    torch.testing.assert_close(found, expected / 4, atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored, found, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_package_of_two_runs_averages_them(
    tmp_path: Path,
    run: Path,
    other_run: Path,
    network: SegmentationNetwork,
    other_network: SegmentationNetwork,
) -> None:
    spec = export_run(run, tmp_path / "model", ExportOptions(flips=True), others=[other_run])
    package = load_package(tmp_path / "model")
    with torch.inference_mode():
        both = Ensemble([network, other_network], [FIRST, SECOND], flips=True).eval()
        expected = both(normalized(FIRST)).sigmoid().numpy()
    found = Runtime(package)(normalized(FIRST).numpy())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    origin = spec.provenance
    assert spec.normalization == FIRST
    assert (origin.num_networks, origin.flips) == (2, True)
    assert origin.num_parameters == 2 * sum(weights.numel() for weights in network.parameters())
    # Seen by one of them is seen; c chose one checkpoint, but the other network learned it.
    assert (origin.training_ids, origin.selection_ids) == (["a", "b", "c", "d"], ["e"])
    assert len(origin.data) == 1
    assert not (tmp_path / "model" / "weights.safetensors").exists()
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text("utf-8")
    assert "2 networks `residual_unet`, together" in card
    assert "over an image and its three mirror images" in card


@pytest.mark.slow
def test_one_network_with_mirror_images_can_be_started_from(tmp_path: Path, run: Path) -> None:
    plain = export_run(run, tmp_path / "plain")
    spec = export_run(run, tmp_path / "flips", ExportOptions(flips=True))
    assert spec.provenance.num_parameters == plain.provenance.num_parameters
    weights, same = (read_weights(tmp_path / name) for name in ("plain", "flips"))
    assert weights.keys() == same.keys()
    assert all(torch.equal(same[name], value) for name, value in weights.items())
    assert "mirror" not in (tmp_path / "plain" / "MODEL_CARD.md").read_text("utf-8")


@pytest.mark.slow
def test_mirror_images_that_the_recipe_asks_for_are_always_averaged(
    tmp_path: Path, run: Path
) -> None:
    asked = export_run(run, tmp_path / "asked", ExportOptions(flips=True))
    recipe = tomlkit.parse((run / "recipe.toml").read_text("utf-8"))
    recipe["flips"] = True
    (run / "recipe.toml").write_text(tomlkit.dumps(recipe), "utf-8")
    spec = export_run(run, tmp_path / "model")
    assert spec.onnx_sha256 == asked.onnx_sha256
    assert spec.provenance.flips


def test_runs_that_see_other_sizes_are_refused(tmp_path: Path, run: Path, other_run: Path) -> None:
    recipe = tomlkit.parse((other_run / "recipe.toml").read_text("utf-8"))
    recipe["preprocessing"]["size"] = [64, 48]
    (other_run / "recipe.toml").write_text(tomlkit.dumps(recipe), "utf-8")
    with pytest.raises(UsageError, match=r"other-run and .*run differ in preprocessing: only runs"):
        export_run(run, tmp_path / "model", others=[other_run])
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_thresholds_of_one_run_do_not_fit_an_average(
    tmp_path: Path, run: Path, other_run: Path
) -> None:
    spec = export_run(run, run / "model")
    fitted = spec.provenance.model_copy(update={"untuned_postprocessing": spec.postprocessing})
    text = spec.model_copy(update={"provenance": fitted}).model_dump_json()
    (run / "model" / "model.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="fitted to its own probabilities"):
        export_run(run, tmp_path / "model", others=[other_run])
    with pytest.raises(UsageError, match="export it alone and without flips"):
        export_run(run, tmp_path / "model", ExportOptions(flips=True))
    assert export_run(run, tmp_path / "model").provenance.untuned_postprocessing is not None
