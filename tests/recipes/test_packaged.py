"""The recipes that come with the package can be trained."""

from __future__ import annotations

import pytest
import tomlkit
import torch

from dermseg.losses import LOSSES
from dermseg.networks import create_network
from dermseg.recipes import list_recipes, parse_recipe, read_recipe, shorten_recipe


def test_there_are_recipes_and_they_are_sorted() -> None:
    names = list_recipes()
    assert "residual-unet-isic2017" in names
    assert names == sorted(names)


@pytest.mark.parametrize("name", list_recipes())
def test_name_equals_the_file_name(name: str) -> None:
    assert read_recipe(name).name == name


@pytest.mark.parametrize("name", list_recipes())
def test_network_takes_the_parameters_and_every_size(name: str) -> None:
    recipe = read_recipe(name)
    with torch.device("meta"):
        options = recipe.network
        network = create_network(options.name, parameters=options.bare_parameters)
    sizes = [step.size for step in recipe.training.progressive_resizing]
    for side in (side for size in (*sizes, recipe.preprocessing.size) for side in size):
        assert side % network.size_multiple == 0


@pytest.mark.parametrize("name", list_recipes())
def test_losses_exist(name: str) -> None:
    assert {term.name for term in read_recipe(name).loss} <= LOSSES.keys()


@pytest.mark.parametrize("name", list_recipes())
def test_saved_recipe_reads_as_the_same_recipe(name: str) -> None:
    recipe = read_recipe(name)
    assert parse_recipe(tomlkit.dumps(recipe.to_dict())) == recipe


@pytest.mark.parametrize("name", list_recipes())
def test_averaged_weights_forget_the_random_start(name: str) -> None:
    training = read_recipe(name).training
    assert training.ema_warmup == (training.ema_decay is not None)


@pytest.mark.parametrize("name", list_recipes())
@pytest.mark.parametrize("epochs", [1, 4])
def test_every_recipe_can_be_shortened_by_its_epochs_alone(name: str, epochs: int) -> None:
    whole = read_recipe(name).training
    training = read_recipe(name, [f"training.epochs={epochs}"]).training
    assert training.epochs == epochs
    for step in training.progressive_resizing:
        (before,) = (old for old in whole.progressive_resizing if old.size == step.size)
        share = before.until_epoch / whole.epochs
        assert step.until_epoch == pytest.approx(share * epochs, abs=0.5)


def test_epochs_that_are_scaled_are_said(caplog: pytest.LogCaptureFixture) -> None:
    read_recipe("unet-isic2017", ["training.epochs=11"])
    (message,) = caplog.messages
    assert "of 11 epochs instead of 44" in message
    assert "96x128 until 8" in message


@pytest.mark.parametrize("name", list_recipes())
def test_a_trial_has_few_epochs_and_sizes_that_the_network_takes(name: str) -> None:
    recipe = shorten_recipe(read_recipe(name))
    assert recipe.training.epochs == 2
    assert max(recipe.preprocessing.size) <= 128
    with torch.device("meta"):
        options = recipe.network
        network = create_network(options.name, parameters=options.bare_parameters)
    for size in (*recipe.sizes, recipe.augmentation.window or recipe.preprocessing.size):
        network.check_size(*size)
