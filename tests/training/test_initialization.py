"""Weights by Glorot's rule, and the momentum of batch norm."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from dermseg.recipes import Network, Recipe
from dermseg.training.initialization import initialize
from dermseg.training.module import SegmentationModule

MakeRecipe = Callable[..., Recipe]


class Small(nn.Module):
    """An encoder, a decoder, and batch norm in both."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32))
        self.encoders_neighbour = nn.Conv2d(32, 64, 3)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(64, 16, 2), nn.BatchNorm2d(16))


def copy_weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(network: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {
        name
        for name, value in network.state_dict().items()
        if name.endswith("weight") and not torch.equal(value, before[name])
    }


def test_default_leaves_everything_as_it_is() -> None:
    network = Small()
    before = copy_weights(network)
    initialize(network, Network(name="small"))
    assert not changed(network, before)
    assert network.decoder[1].momentum == 0.1


def test_xavier_draws_convolutions_uniformly_and_sets_biases_to_zero() -> None:
    torch.manual_seed(0)
    network = Small()
    before = copy_weights(network)
    initialize(network, Network(name="small", initialization="xavier"))
    names = {"encoder.0.weight", "encoders_neighbour.weight", "decoder.0.weight"}
    assert changed(network, before) == names
    for name, fans in (
        ("encoder.0", (3 + 32) * 9),
        ("encoders_neighbour", (32 + 64) * 9),
        ("decoder.0", (64 + 16) * 4),
    ):
        layer = network.get_submodule(name)
        assert isinstance(layer.weight, Tensor)
        assert isinstance(layer.bias, Tensor)
        bound = math.sqrt(6 / fans)
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.02)
        assert layer.weight.abs().max().item() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert not layer.bias.any()


def test_pretrained_encoder_keeps_its_weights() -> None:
    network = Small()
    before = copy_weights(network)
    options = Network(
        name="small",
        initialization="xavier",
        batch_norm_momentum=0.5,
        parameters={"pretrained": True},
    )
    initialize(network, options)
    assert changed(network, before) == {"encoders_neighbour.weight", "decoder.0.weight"}
    assert network.encoder[1].momentum == 0.5


def test_momentum_is_pytorchs_share_of_the_new_batch() -> None:
    network = nn.Sequential(nn.BatchNorm2d(1))
    initialize(network, Network(name="small", batch_norm_momentum=0.25))
    network.train()(torch.full((2, 1, 2, 2), 8.0))
    # From the initial 0, a quarter of the way to 8.
    assert network.get_buffer("0.running_mean").item() == 2.0


def test_recipe_initialises_the_network(make_recipe: MakeRecipe) -> None:
    recipe = make_recipe("network.initialization=xavier", "network.batch_norm_momentum=0.03")
    network = SegmentationModule(recipe, num_steps=1).network
    assert {
        module.momentum for module in network.modules() if isinstance(module, nn.BatchNorm2d)
    } == {0.03}
    head = network.get_parameter("segmentation_head.bias")
    assert not head.any()
