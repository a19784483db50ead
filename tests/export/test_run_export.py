"""From a run folder to a model package, whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from dermseg.errors import ExportError, OutputError, UsageError
from dermseg.export import ExportOptions, export_run
from dermseg.networks import SegmentationNetwork
from dermseg.package import Runtime, Score, load_package


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A folder of somebody's files."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "mole.jpg").write_text("precious")
    return folder


def test_package_holds_what_the_run_says(
    tmp_path: Path, run: Path, network: SegmentationNetwork
) -> None:
    destination = tmp_path / "new" / "model"
    score = Score(
        on="isic2017 validation",
        num_images=150,
        used_for_selection=False,
        values={"mean_jaccard": (0.75, 0.7, 0.8)},
    )
    spec = export_run(run, destination, ExportOptions(name="mine"), scores=(score,))
    assert sorted(path.name for path in destination.iterdir()) == [
        "MODEL_CARD.md",
        "model.json",
        "model.onnx",
        "recipe.toml",
        "weights.safetensors",
    ]
    package = load_package(destination)
    assert package.spec == spec
    assert spec.name == "mine"
    assert spec.input_size == (32, 48)
    assert spec.normalization.mean == (0.5, 0.25, 0.125)
    origin = spec.provenance
    assert (origin.recipe, origin.network, origin.seed) == ("small", "residual_unet", 5)
    assert (origin.epochs, origin.best_epoch, origin.commit) == (9, 4, "0123abc")
    assert (origin.training_ids, origin.selection_ids) == (["a", "b"], ["c"])
    assert origin.num_parameters == sum(weights.numel() for weights in network.parameters())
    assert origin.export_difference < 1e-4
    assert (destination / "recipe.toml").read_text() == (run / "recipe.toml").read_text()
    card = (destination / "MODEL_CARD.md").read_text()
    for fact in ("mine", "Not a medical device", "48x32", "| mean_jaccard | 0.7500 |", "CC0"):
        assert fact in card
    # The weights are those of the checkpoint: torch and the package's runtime agree.
    inputs = np.random.default_rng(0).normal(size=(2, 3, 32, 48)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).sigmoid().numpy()
    np.testing.assert_allclose(Runtime(package)(inputs), expected, atol=1e-4)
    assert not list(destination.parent.glob(".export-*"))


def test_there_destination_is_refused_without_overwrite(run: Path, taken: Path) -> None:
    with pytest.raises(UsageError, match=r"photos is already there: .*--overwrite"):
        export_run(run, taken)
    assert (taken / "mole.jpg").read_text() == "precious"


def test_folder_that_is_no_package_is_never_replaced(run: Path, taken: Path) -> None:
    with pytest.raises(UsageError, match="photos holds no model package and is not replaced"):
        export_run(run, taken, overwrite=True)
    assert (taken / "mole.jpg").read_text() == "precious"


@pytest.mark.slow
def test_older_package_is_replaced_whole(tmp_path: Path, run: Path, dark_package: Path) -> None:
    destination = tmp_path / "model"
    dark_package_files = {path.name: path.read_bytes() for path in dark_package.iterdir()}
    destination.mkdir()
    for name, content in dark_package_files.items():
        (destination / name).write_bytes(content)
    (destination / "left-over.txt").write_text("of the old package")
    export_run(run, destination, overwrite=True)
    assert load_package(destination).spec.name == "small"
    assert not (destination / "left-over.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "run"]


@pytest.mark.parametrize("missing", ["recipe.toml", "run.json", "checkpoints/best.ckpt"])
def test_folder_that_is_no_run_is_refused(tmp_path: Path, run: Path, missing: str) -> None:
    (run / missing).unlink()
    with pytest.raises(UsageError, match=r"not a run folder with recipe.toml.*best\.ckpt"):
        export_run(run, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("content", [b"", b"junk", None], ids=["empty", "junk", "cut"])
def test_damaged_checkpoint_is_one_line(tmp_path: Path, run: Path, content: bytes | None) -> None:
    path = run / "checkpoints" / "best.ckpt"
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    with pytest.raises(UsageError, match="not a run folder") as caught:
        export_run(run, tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_checkpoint_of_another_network_is_one_line(tmp_path: Path, run: Path) -> None:
    text = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(text.replace("[8, 16]", "[8, 24]"))
    with pytest.raises(UsageError, match="not a run folder") as caught:
        export_run(run, tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("half_weights", [False, True])
def test_weights_that_are_no_numbers_leave_no_package(
    tmp_path: Path,
    run: Path,
    half_weights: bool,  # noqa: FBT001
) -> None:
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["network.segmentation_head.bias"].fill_(math.nan)
    torch.save(checkpoint, path)
    with pytest.raises(ExportError, match="differ by nan"):
        export_run(run, tmp_path / "model", ExportOptions(half_weights=half_weights))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_place_that_cannot_be_written_is_an_output_error(tmp_path: Path, run: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="model: cannot be written: "):
        export_run(run, tmp_path / "file" / "model")
