"""The learning rate of each step, by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

from dermseg.recipes import Recipe
from dermseg.training.module import SegmentationModule

MakeRecipe = Callable[..., Recipe]


def rates(recipe: Recipe, num_steps: int) -> list[float]:
    """The learning rate of each step of a run."""
    module = SegmentationModule(recipe, num_steps=num_steps)
    configured: Any = module.configure_optimizers()
    scheduler = configured["lr_scheduler"]["scheduler"]
    assert configured["lr_scheduler"]["interval"] == "step"
    found = []
    for _ in range(num_steps):
        found.append(scheduler.get_last_lr()[0])
        configured["optimizer"].step()
        scheduler.step()
    return found


def test_constant_schedule_stays(make_recipe: MakeRecipe) -> None:
    assert rates(make_recipe("training.lr=0.5"), 4) == [0.5] * 4


def test_cosine_goes_from_the_peak_to_nearly_zero(make_recipe: MakeRecipe) -> None:
    found = rates(make_recipe("training.lr=2", "training.schedule=cosine"), 4)
    # 1 + cos of 0, 45, 90 and 135 degrees.
    assert found == pytest.approx([2, 1 + 0.5**0.5, 1, 1 - 0.5**0.5])


def test_warm_up_climbs_in_equal_steps_before_the_cosine(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(
        "training.lr=3", "training.epochs=4", "training.warmup_epochs=1", "training.schedule=cosine"
    )
    # 12 steps in 4 epochs: 3 of warm-up, then the cosine over 9.
    found = rates(recipe, 12)
    assert found[:4] == pytest.approx([1, 2, 3, 3])
    assert found == [*found[:3], *sorted(found[3:], reverse=True)]
    assert 0 < found[-1] < 0.1


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_optimizer_has_the_recipes_settings(
    make_recipe: MakeRecipe, name: str, kind: type[torch.optim.Optimizer]
) -> None:
    recipe = make_recipe(f"training.optimizer={name}", "training.weight_decay=0.125")
    module = SegmentationModule(recipe, num_steps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        configured: Any = module.configure_optimizers()
    (group,) = configured["optimizer"].param_groups
    assert type(configured["optimizer"]) is kind
    assert group["weight_decay"] == 0.125
    assert len(group["params"]) == len(list(module.parameters()))
