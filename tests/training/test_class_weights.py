"""Class weights, counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dermseg.datasets import open_dataset
from dermseg.datasets.pairs import NativePairs, Preparation
from dermseg.errors import DatasetError
from dermseg.images import read_mask
from dermseg.preprocessing import resize_mask
from dermseg.recipes import Cleaning, Recipe
from dermseg.training.class_weights import fit_class_weights, inverse_frequencies

MakeRecipe = Callable[..., Recipe]


def test_weights_are_the_inverse_counts_scaled_to_one() -> None:
    first = torch.zeros(2, 2, 4)
    first[0, 0] = 1
    second = torch.zeros(2, 2, 4)
    second[1, 0, :2] = 1
    # 10 pixels of background, 4 and 2 of the classes: 1/10, 1/4, 1/2 of 0.85 in all.
    weights = inverse_frequencies([first, second], ["a", "b"], activation="softmax")
    assert weights == pytest.approx([0.1 / 0.85, 0.25 / 0.85, 0.5 / 0.85], abs=1e-6)


def test_pixels_of_unknown_class_do_not_count_under_softmax() -> None:
    target = torch.zeros(2, 2, 4)
    target[0, 0, :2] = 1
    target[1, 0, 2] = 1
    target[1, 1] = -1
    # The lower row is left out: 1 pixel of background, 2 and 1 of the classes.
    weights = inverse_frequencies([target], ["a", "b"], activation="softmax")
    assert weights == pytest.approx([0.4, 0.2, 0.4], abs=1e-6)


def test_each_class_is_counted_by_itself_under_sigmoid() -> None:
    overlapping = torch.zeros(2, 2, 4)
    overlapping[0, 0] = 1
    overlapping[1, 0, :2] = 1
    somewhere = torch.zeros(2, 2, 4)
    somewhere[1] = -2
    # Class a: 4 of 16 pixels. Class b: 2 of the 8 that are known. Background: 12 and 6, so 9 of 12
    # on average. 1 over 9/12, 4/16 and 2/8, of 4/3 + 4 + 4 in all.
    weights = inverse_frequencies([overlapping, somewhere], ["a", "b"], activation="sigmoid")
    assert weights == pytest.approx([1 / 7, 3 / 7, 3 / 7], abs=1e-6)


def test_one_class_has_the_same_weights_under_both_activations() -> None:
    target = torch.zeros(1, 3, 7)
    target[0, 1, 2:5] = 1
    first = inverse_frequencies([target], ["lesion"], activation="softmax")
    second = inverse_frequencies([target], ["lesion"], activation="sigmoid")
    assert first == second == pytest.approx([3 / 21, 18 / 21], abs=1e-6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "no training mask has a pixel of 'lesion' at the network's size"),
        (1, "no pixel of the training masks is known to be in no class"),
    ],
)
def test_class_that_is_in_no_mask_is_named(value: int, message: str) -> None:
    targets = [torch.full((1, 2, 2), float(value))]
    with pytest.raises(DatasetError, match=message):
        inverse_frequencies(targets, ["lesion"], activation="sigmoid")


def test_class_whose_pixels_are_all_another_s_is_not_said_to_have_none() -> None:
    targets = [torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]]])]
    with pytest.raises(DatasetError, match="every pixel of 'b' is in a class that is named before"):
        inverse_frequencies(targets, ["a", "b"], activation="softmax")


def test_pixels_are_counted_at_the_networks_size(
    make_recipe: MakeRecipe, disc_dataset: Path
) -> None:
    loss = '[{ name = "focal", parameters = { class_weights = "inverse_frequency" } }]'
    recipe = make_recipe("activation=softmax", f"loss={loss}")
    samples = open_dataset(disc_dataset).samples[:5]
    share = np.mean(
        [resize_mask(read_mask(sample.mask), (24, 32)).mean() for sample in samples if sample.mask]
    )
    # 1/(1 - share) and 1/share, scaled to a sum of 1.
    assert fit_class_weights(
        recipe, samples, NativePairs(Preparation(Cleaning()))
    ) == pytest.approx([share, 1 - share], abs=1e-6)


def test_nothing_is_read_where_no_loss_asks(make_recipe: MakeRecipe) -> None:
    assert fit_class_weights(make_recipe(), [], NativePairs(Preparation(Cleaning()))) is None
