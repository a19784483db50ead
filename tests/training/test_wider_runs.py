"""Early stopping, folds, fine-tuning and several processes, end to end."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dermseg.errors import RecipeError, UsageError
from dermseg.images import write_image, write_mask
from dermseg.package import load_package
from dermseg.phantom import create_phantom
from dermseg.prediction import load_model
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, cross_validate, train

MakeRecipe = Callable[..., Recipe]

YEARS = {
    "isic2017": ("ISIC-2017_Training_Data", "ISIC-2017_Training_Part1_GroundTruth"),
    "isic2018": ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"),
}
"""Folders of images and of masks."""


def read_metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_training_stops_when_nothing_gets_better(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    # Frozen weights cannot get better.
    recipe = make_recipe(
        "training.epochs=9", "training.early_stopping_epochs=2", "training.lr=1e-30"
    )
    train(recipe, TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    assert len(read_metrics(tmp_path / "run")) == 3
    for name in ("curves.png", "predictions.png", "model/weights.safetensors"):
        assert (tmp_path / "run" / name).is_file()
    environment = json.loads((tmp_path / "run" / "run.json").read_text())["environment"]
    assert environment["torch"].startswith(torch.__version__.split("+")[0])


@pytest.mark.slow
def test_every_image_is_scored_by_a_model_that_never_saw_it(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    recipe = make_recipe("training.epochs=1")
    result = cross_validate(
        recipe, TrainingData([disc_dataset]), tmp_path / "cv", folds=2, num_workers=0
    )
    # A seeded split keeps 2 of the 20 for its test part.
    assert result.num_scored == 18
    seen = []
    for fold in (1, 2):
        record = json.loads((tmp_path / "cv" / f"fold-{fold}" / "run.json").read_text())
        seen.append({*record["training_ids"], *record["selection_ids"]})
    assert not seen[0] & seen[1]
    assert {score.id for score in result.scores} == seen[0] | seen[1]


@pytest.mark.slow
def test_a_fold_per_source_is_predicted_by_a_model_of_the_others(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    names = sorted(path.stem for path in (disc_dataset / "images").iterdir())
    sources = {name: "new" if number % 4 == 0 else "old" for number, name in enumerate(names)}
    table = tmp_path / "sources.csv"
    table.write_text("id,fold\n" + "".join(f"{id},{fold}\n" for id, fold in sources.items()))
    data = TrainingData([disc_dataset])
    cross_validate(
        make_recipe("training.epochs=1"), data, tmp_path / "cv", folds=table, num_workers=0
    )
    record = json.loads((tmp_path / "cv" / "fold-1" / "run.json").read_text())
    assert {sources[id] for id in record["training_ids"] + record["selection_ids"]} == {"old"}


@pytest.fixture
def both_years(tmp_path: Path) -> list[Path]:
    """Datasets of the images 0 to 7 and 4 to 11: four are in both."""
    for year, (images, masks) in YEARS.items():
        for folder in (images, masks):
            (tmp_path / year / folder).mkdir(parents=True)
        for number in range(8) if year == "isic2017" else range(4, 12):
            phantom = create_phantom(number, size=(48, 64))
            name = f"ISIC_{number:07}"
            write_image(tmp_path / year / images / f"{name}.jpg", phantom.image)
            write_mask(tmp_path / year / masks / f"{name}_segmentation.png", phantom.mask)
    return [tmp_path / year for year in YEARS]


@pytest.mark.slow
def test_an_image_of_two_datasets_is_in_one_fold_and_scored_in_both(
    make_recipe: MakeRecipe, both_years: list[Path], tmp_path: Path
) -> None:
    data = TrainingData(both_years)
    run = tmp_path / "cv"
    recipe = make_recipe("training.epochs=1")
    result = cross_validate(recipe, data, run, folds=2, num_workers=0)
    shared = {f"ISIC_{number:07}_{year}" for number in range(4, 8) for year in YEARS}
    single = {f"ISIC_{number:07}" for number in (0, 1, 2, 3, 8, 9, 10, 11)}
    assert {score.id for score in result.scores} == shared | single
    assert {path.stem for path in (run / "out_of_fold" / "logits").iterdir()} == shared | single
    seen = []
    for fold in (1, 2):
        record = json.loads((run / f"fold-{fold}" / "run.json").read_text())
        seen.append({*record["training_ids"], *record["selection_ids"]})
    assert not seen[0] & seen[1]
    assert result.is_grouped
    with np.load(run / "out_of_fold" / "logits" / "ISIC_0000004_isic2018.npz") as file:
        logits = file["logits"]
    (package,) = (
        run / f"fold-{fold}" / "model"
        for fold, ids in enumerate(seen, start=1)
        if "ISIC_0000004" not in ids
    )
    image = both_years[1] / YEARS["isic2018"][0] / "ISIC_0000004.jpg"
    expected = load_model(package).predict(image).class_probabilities
    assert logits.shape == (1, 24, 32)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits.astype(float))), expected, atol=2e-3)


@pytest.mark.slow
def test_an_image_of_two_datasets_may_choose_the_checkpoint_twice(
    make_recipe: MakeRecipe, both_years: list[Path], tmp_path: Path
) -> None:
    recipe = make_recipe("training.epochs=1", "data.selection_fraction=0.5")
    package = train(recipe, TrainingData(both_years), tmp_path / "run", num_workers=0)
    origin = load_package(package).spec.provenance
    shared = {f"ISIC_{number:07}" for number in range(4, 8)} & {*origin.selection_ids}
    assert shared
    assert origin.scores[0].num_images == len(origin.selection_ids) + len(shared)


def test_the_same_dataset_twice_is_refused_before_any_training(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="give each dataset once"):
        cross_validate(
            make_recipe(),
            TrainingData([disc_dataset, disc_dataset]),
            tmp_path / "cv",
            folds=2,
        )
    assert not (tmp_path / "cv").exists()


@pytest.mark.slow
def test_fine_tuning_starts_from_the_packages_weights(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    first = train(
        make_recipe("training.epochs=6"),
        TrainingData([disc_dataset]),
        tmp_path / "a",
        num_workers=0,
    )
    frozen = ("training.epochs=1", "training.lr=1e-30", f"network.initial_weights='{first}'")
    train(make_recipe(*frozen), TrainingData([disc_dataset]), tmp_path / "b", num_workers=0)
    weights = [
        torch.load(tmp_path / run / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
        for run in "ab"
    ]
    name = "network.segmentation_head.weight"
    assert torch.allclose(weights[0][name], weights[1][name])
    other = make_recipe(*frozen, "network.parameters={ widths = [4, 6] }")
    with pytest.raises(RecipeError, match="does not fit"):
        train(other, TrainingData([disc_dataset]), tmp_path / "c", num_workers=0)


@pytest.mark.slow
def test_accumulated_batches_make_fewer_steps(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    recipe = make_recipe("training.accumulate_batches=2", "training.schedule='cosine'")
    train(recipe, TrainingData([disc_dataset]), tmp_path / "run", num_workers=0)
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 4
    assert float(read_metrics(tmp_path / "run")[-1]["lr"]) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="gloo processes are started by a fork server")
def test_two_processes_train_as_one_without_batch_norm(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(
        "network.name='unet'",
        "network.parameters={ width = 4, depth = 2, batch_norm = false }",
        "training.optimizer='sgd'",
        "training.ema_decay=0.9",
    )
    runs = [tmp_path / "one", tmp_path / "two"]
    for num_processes, run in enumerate(runs, start=1):
        train(recipe, TrainingData([disc_dataset]), run, num_workers=0, num_processes=num_processes)
    one, two = (read_metrics(run) for run in runs)
    for first, second in zip(one, two, strict=True):
        for name in ("train_loss", "selection_loss"):
            assert float(first[name]) == pytest.approx(float(second[name]), abs=1e-5)
    weights = [
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
        for run in runs
    ]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-5), name


def test_a_batch_that_cannot_be_divided_is_refused(
    make_recipe: MakeRecipe, disc_dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="multiple of --processes"):
        train(
            make_recipe(),
            TrainingData([disc_dataset]),
            tmp_path / "run",
            num_workers=0,
            num_processes=3,
        )
