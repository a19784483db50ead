"""Runs that read from a cache give the weights of those that read the files."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dermseg.errors import ImageError
from dermseg.images import write_image, write_mask
from dermseg.phantom import create_phantom
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, cross_validate, train

MakeRecipe = Callable[..., Recipe]
RESIZING = "training.progressive_resizing=[{ until_epoch = 1, size = [16, 24] }]"
CLEANING = "preprocessing.remove_hair=true"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder dataset of twelve generated images."""
    root = tmp_path_factory.mktemp("phantoms")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    for seed in range(12):
        phantom = create_phantom(seed, size=(96, 128))
        write_image(root / "images" / f"phantom_{seed:02d}.png", phantom.image)
        write_mask(root / "masks" / f"phantom_{seed:02d}.png", phantom.mask)
    return root


def assert_equal_runs(first: Path, second: Path) -> None:
    metrics = []
    for run in (first, second):
        with (run / "metrics.csv").open() as file:
            metrics.append([row | {"seconds": ""} for row in csv.DictReader(file)])
    assert metrics[0] == metrics[1]
    one, other = (
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for run in (first, second)
    )
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    for name in ("weights.safetensors", "model.onnx"):
        assert (first / "model" / name).read_bytes() == (second / "model" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 1])
def test_weights_from_the_cache_are_those_from_the_files(
    tmp_path: Path, make_recipe: MakeRecipe, phantoms: Path, num_workers: int
) -> None:
    recipe = make_recipe(RESIZING, CLEANING)
    train(recipe, TrainingData([phantoms]), tmp_path / "native", num_workers=0)
    cache = tmp_path / "cache"
    train(
        recipe, TrainingData([phantoms], cache=cache), tmp_path / "cached", num_workers=num_workers
    )
    assert_equal_runs(tmp_path / "native", tmp_path / "cached")
    # One of the twelve is kept for evaluation.
    assert len(list(cache.glob("*-16x24.pair"))) == len(list(cache.glob("*-24x32.pair"))) == 11


@pytest.mark.slow
def test_processes_and_folds_read_from_one_cache(
    tmp_path: Path, make_recipe: MakeRecipe, phantoms: Path
) -> None:
    recipe = make_recipe(
        "training.epochs=1",
        "network.name='unet'",
        "network.parameters={ width = 4, depth = 2, batch_norm = false }",
    )
    runs = [tmp_path / "native", tmp_path / "cached"]
    for run, cache in zip(runs, (None, tmp_path / "cache"), strict=True):
        result = cross_validate(
            recipe,
            TrainingData([phantoms], cache=cache),
            run,
            folds=2,
            num_workers=0,
            num_processes=2,
        )
        assert result.num_scored == 11
    for fold in ("fold-1", "fold-2"):
        assert_equal_runs(runs[0] / fold, runs[1] / fold)
    assert len(list((tmp_path / "cache").iterdir())) == 11


def test_unreadable_image_is_refused_as_without_a_cache(
    tmp_path: Path, make_recipe: MakeRecipe, phantoms: Path
) -> None:
    data = shutil.copytree(phantoms, tmp_path / "data")
    for path in (data / "masks").iterdir():
        path.write_bytes(b"damaged")
    messages = []
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(ImageError, match="phantom_") as caught:
            train(make_recipe(), TrainingData([data], cache=cache), tmp_path / "run", num_workers=0)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert not (tmp_path / "run").exists()
