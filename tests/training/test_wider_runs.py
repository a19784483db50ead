"""Early stopping, folds, fine-tuning and several processes, end to end."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dermseg.errors import RecipeError, UsageError
from dermseg.recipes import Recipe
from dermseg.training import TrainingData, cross_validate, train

MakeRecipe = Callable[..., Recipe]


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
        recipe, TrainingData([disc_dataset]), tmp_path / "cv", num_folds=2, num_workers=0
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
