"""Building networks by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dermseg.errors import RecipeError
from dermseg.networks import NETWORKS, ResidualUNet, SegmentationNetwork, UNet, create_network


def count(network: SegmentationNetwork, part: str = "") -> int:
    """Number of parameters whose name begins with ``part``."""
    return sum(
        parameter.numel() for key, parameter in network.named_parameters() if key.startswith(part)
    )


def test_parameters_reach_the_network() -> None:
    network = create_network("unet", num_classes=2, parameters={"width": 4, "depth": 2})
    assert isinstance(network, UNet)
    assert network.size_multiple == 4
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 8, 8)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        RecipeError, match="unknown network 'u-net': expected one of efficientnet_unet, ege_unet, "
    ):
        create_network("u-net")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("unet", {"widht": 4}),
        ("unet", {"width": "wide"}),
        ("unet", {"width": 0}),
        ("unet", {"width": -4}),
        ("unet", {"width": 4, "depth": 0}),
        ("unet", {"num_classes": 2}),
        ("residual_unet", {"widths": [16]}),
        ("residual_unet", {"widths": [16, 1]}),
        ("residual_unet", {"widths": [16, -4]}),
        ("residual_unet", {"widths": 16}),
        ("residual_unet", {"widths": [4.5, 8.5]}),
    ],
)
def test_parameters_that_do_not_fit_are_a_recipe_error(
    name: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(RecipeError, match=f"network '{name}' does not take these parameters: "):
        create_network(name, parameters=parameters)


def test_table_holds_networks_in_sorted_order() -> None:
    assert list(NETWORKS) == sorted(NETWORKS)
    assert all(issubclass(network, SegmentationNetwork) for network in NETWORKS.values())


def test_unet_has_the_parameters_that_it_states() -> None:
    assert count(UNet(width=16)) == 1_942_577
    assert "1,942,577" in (UNet.__doc__ or "")
    with torch.device("meta"):
        assert count(UNet()) == 31_037_633
    assert "31,037,633" in (UNet.__doc__ or "")


def test_unet_with_upsampling_has_the_parameters_of_the_keras_one() -> None:
    network = UNet(width=16, up="upsample", up_kernel=2, bias=True)
    assert count(network) == 1_530_369
    assert "1,530,369" in (UNet.__doc__ or "")
    # Pixels are repeated, skips come first, and even kernels reach to the right and downwards.
    assert count(network, "upsampling") == 0
    first = network.get_submodule("decoder.0")
    assert isinstance(first, torch.nn.Sequential)
    assert first(torch.zeros(1, 3 * 128, 5, 7)).shape == (1, 128, 5, 7)
    point = torch.zeros(1, 3 * 128, 5, 5)
    point[..., 2, 2] = 1
    reached = first[1](first[0](point)) - first[1](first[0](0 * point))
    rows, columns = reached[0].abs().amax(dim=0).nonzero().unique(dim=0).T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 2, 1, 2)


@pytest.mark.parametrize(
    "parameters", [{"up": "transpose"}, {"up_kernel": 0}, {"up": "upsample", "up_kernel": -1}]
)
def test_unknown_ways_up_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="does not take these parameters"):
        create_network("unet", parameters=parameters)


def test_residual_unet_has_the_parameters_that_it_states() -> None:
    network = ResidualUNet()
    assert count(network) == 1_515_484
    assert count(network, "auxiliary_heads") == 203
    assert "1,515,484" in (ResidualUNet.__doc__ or "")
    assert "203" in (ResidualUNet.__doc__ or "")


def test_size_multiples_are_the_documented_ones() -> None:
    assert ResidualUNet(widths=[4, 8, 8]).size_multiple == 8
    assert UNet(width=2, depth=3).size_multiple == 8


def test_residual_shortcut_equals_a_strided_convolution() -> None:
    network = ResidualUNet(widths=[4, 8]).eval()
    features = torch.rand(2, 4, 8, 10)
    weight = network.get_parameter("encoder.1.shortcut.0.weight")
    norm = network.get_submodule("encoder.1.shortcut.1")
    first, second = (network.get_submodule(f"encoder.1.{name}") for name in ("first", "second"))
    strided = torch.nn.functional.conv2d(features, weight, stride=2)
    expected = torch.relu(second(first(features)) + norm(strided))
    torch.testing.assert_close(network.encoder[1](features), expected)
