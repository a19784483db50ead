"""What can be known to fail before hours are spent on it."""

from __future__ import annotations

import torch

from dermseg.errors import RecipeError
from dermseg.losses import create_loss
from dermseg.networks import create_network
from dermseg.recipes import Recipe

__all__ = ["check_recipe"]


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that cannot be trained.

    Raises:
        RecipeError: If a network, a parameter or a loss is unknown, a loss is not for the
            activation, or the network does not take one of the sizes.
    """
    # Class weights are fitted later: here any will do.
    create_loss(
        recipe.loss,
        activation=recipe.activation,
        num_classes=len(recipe.classes),
        fitted_weights=[1.0] * (1 + len(recipe.classes)),
    )
    with torch.device("meta"):
        network = create_network(
            recipe.network.name,
            num_classes=recipe.num_maps,
            parameters=recipe.network.bare_parameters,
        )
    sizes = {"preprocessing.size": recipe.preprocessing.size}
    sizes |= {
        f"training.progressive_resizing, until_epoch {step.until_epoch}": step.size
        for step in recipe.training.progressive_resizing
    }
    for key, (height, width) in sizes.items():
        try:
            network.check_size(height, width)
        except ValueError as error:
            message = f"{key}: {error}"
            raise RecipeError(message) from error
