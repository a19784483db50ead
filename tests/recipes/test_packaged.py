"""The recipes that come with the package can be trained."""

from __future__ import annotations

import pytest
import tomlkit
import torch

from dermseg.losses import LOSSES
from dermseg.networks import create_network
from dermseg.recipes import list_recipes, parse_recipe, read_recipe


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
