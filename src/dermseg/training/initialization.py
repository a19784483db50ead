"""How random weights are drawn, and how batch norm keeps its statistics."""

from __future__ import annotations

import torch
from torch import nn

from dermseg.networks import create_network
from dermseg.preprocessing import Normalization
from dermseg.recipes import Network

__all__ = ["imagenet_normalization", "initialize"]


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
            and options.initialization == "xavier"
        ):
            is_kept = options.is_pretrained and name.partition(".")[0] == "encoder"
            if not is_kept:
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
