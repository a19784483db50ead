"""First weights: random ones, how batch norm keeps its statistics, and those of a package."""

from __future__ import annotations

import logging

import torch
from torch import nn

from dermseg.errors import RecipeError
from dermseg.export import read_weights
from dermseg.networks import SegmentationNetwork, create_network
from dermseg.package import load_package
from dermseg.preprocessing import Normalization
from dermseg.recipes import Network, Recipe

__all__ = ["imagenet_normalization", "initialize", "load_initial_weights"]

_logger = logging.getLogger(__name__)
_DRAW = {"xavier": nn.init.xavier_uniform_, "xavier_normal": nn.init.xavier_normal_}


def imagenet_normalization(options: Network) -> Normalization:
    """The normalisation that a network's pre-trained weights expect.

    Args:
        options: The recipe's network table.

    Raises:
        RecipeError: If there is no such network.
    """
    with torch.device("meta"):
        network = create_network(options.name, parameters=options.bare_parameters)
    return Normalization(mean=network.imagenet_mean, std=network.imagenet_std)


def initialize(network: nn.Module, options: Network) -> None:
    """Draw a network's weights anew and set its batch norm as a recipe says.

    Args:
        network: Changed in place. What stands under its attribute ``encoder`` keeps its weights
            if it came pre-trained.
        options: The recipe's network table.

    References:
        Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            if options.batch_norm_momentum is not None:
                module.momentum = options.batch_norm_momentum
        elif (
            isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
            and options.initialization != "default"
        ):
            is_kept = options.is_pretrained and name.partition(".")[0] == "encoder"
            if not is_kept:
                _DRAW[options.initialization](module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


def load_initial_weights(network: SegmentationNetwork, recipe: Recipe) -> None:
    """Load the weights of the package that a recipe names.

    If the package has another activation or another number of classes, the layers that give the
    maps keep their random weights, and a warning is logged.

    Args:
        network: The recipe's network; changed in place.
        recipe: Its ``network.initial_weights`` is a shipped model's name, or a package's folder.

    Raises:
        PackageError: If there is no such package, or it holds no weights.
        RecipeError: If its network is another one.
    """
    source = recipe.network.initial_weights
    package = load_package(source)
    weights = read_weights(package.folder)
    spec = package.spec
    if (spec.activation, len(spec.classes)) != (recipe.activation, len(recipe.classes)):
        own = network.state_dict()
        replaced = sorted(_layers_of_maps(recipe) & weights.keys())
        weights |= {name: own[name] for name in replaced}
        _logger.warning(
            "network.initial_weights: '%s' has the classes %s under %s, the recipe %s under %s: "
            "%s start from random weights",
            source,
            ", ".join(spec.classes),
            spec.activation,
            ", ".join(recipe.classes),
            recipe.activation,
            ", ".join(replaced),
        )
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        message = (
            f"network.initial_weights: '{source}' holds a '{spec.provenance.network}' that does "
            "not fit this recipe's network; take network and parameters from its recipe.toml: "
            f"{error}"
        )
        raise RecipeError(message) from error


def _layers_of_maps(recipe: Recipe) -> set[str]:
    """Names of the weights whose shape depends on the number of maps."""
    options = recipe.network
    with torch.device("meta"):
        one, two = (
            create_network(options.name, num_classes=num, parameters=options.bare_parameters)
            for num in (1, 2)
        )
    shapes = two.state_dict()
    return {name for name, value in one.state_dict().items() if value.shape != shapes[name].shape}
