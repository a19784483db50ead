"""Recipes that could not be trained are refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dermseg.datasets.pairs import Pair
from dermseg.errors import DatasetError, RecipeError
from dermseg.recipes import Recipe, list_recipes, read_recipe
from dermseg.training.mask_counts import MaskCounts
from dermseg.training.module import check_recipe
from dermseg.types import BoolMask

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


DISC = np.hypot(*np.mgrid[-12:12, -16:16]) < 8
EMPTY, FULL = np.zeros_like(DISC), np.ones_like(DISC)


def find_warnings(*masks: BoolMask, name: str = "lesion") -> list[str]:
    """What is said of masks of one class, one an image."""
    image = np.zeros((*DISC.shape, 3), np.uint8)
    counts = MaskCounts([name])
    for _ in counts.count(Pair(image, mask[None], np.array([True])) for mask in masks):
        pass
    return counts.find_warnings()


@pytest.mark.parametrize(("mask", "state"), [(EMPTY, "empty"), (FULL, "full")])
def test_lesion_masks_that_are_all_empty_or_full_are_refused(mask: BoolMask, state: str) -> None:
    assert not find_warnings(mask, DISC)
    with pytest.raises(DatasetError, match=f"all 2 masks to train on are {state}.* data check"):
        find_warnings(mask, mask)


def test_an_attribute_that_occurs_nowhere_is_warned_of() -> None:
    (warning,) = find_warnings(EMPTY, EMPTY, name="streaks")
    assert warning == "all 2 masks of streaks are empty: nothing of it can be learned"


def test_inverted_masks_are_warned_of_and_lesions_that_fill_the_image_are_not() -> None:
    (warning,) = find_warnings(~DISC, ~DISC, DISC)
    assert warning.startswith("2 of 3 masks of lesion look inverted")
    assert not find_warnings(~DISC, DISC, DISC)
    large = FULL.copy()
    large[0, :2] = False
    assert not find_warnings(large, large)
