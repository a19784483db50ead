"""Recipes that could not be trained are refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dermseg.errors import RecipeError
from dermseg.recipes import Recipe, list_recipes, read_recipe
from dermseg.training.module import check_recipe

MakeRecipe = Callable[..., Recipe]


@pytest.mark.parametrize("name", list_recipes())
def test_packaged_recipe_can_be_trained(name: str) -> None:
    check_recipe(read_recipe(name))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("preprocessing.size=[30, 32]", r"preprocessing\.size: .* use 32x32"),
        (
            "training.progressive_resizing=[{ until_epoch = 1, size = [12, 18] }]",
            r"progressive_resizing, until_epoch 1: .* use 12x16",
        ),
        ("network.name=vnet", "unknown network 'vnet'"),
        ("network.parameters={ width = 4 }", "does not take these parameters"),
        ("network.parameters.widths=[4]", "expected at least 2 levels"),
        ('loss=[{ name = "dise" }]', "unknown loss 'dise'"),
        (
            "activation=softmax",
            r"loss 'bce': activation is 'softmax', but this loss is for activation = 'sigmoid'",
        ),
        (
            'loss=[{ name = "cross_entropy" }]',
            r"loss 'cross_entropy': .* for activation = 'softmax'",
        ),
        (
            'loss=[{ name = "focal", parameters = { gama = 2 } }]',
            r"loss 'focal' has no parameter 'gama': expected gamma or alpha or class_weights",
        ),
    ],
)
def test_recipe_that_cannot_be_trained_is_refused(
    make_recipe: MakeRecipe, override: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        check_recipe(make_recipe(override))


def test_class_weights_to_be_fitted_pass_the_check(make_recipe: MakeRecipe) -> None:
    loss = '[{ name = "focal", parameters = { class_weights = "inverse_frequency" } }]'
    check_recipe(make_recipe("activation=softmax", f"loss={loss}"))
