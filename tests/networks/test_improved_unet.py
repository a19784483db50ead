"""The improved U-Net's size, and how its segmentation layers come together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dermseg.errors import RecipeError
from dermseg.networks import ImprovedUNet, create_network


def count_by_hand() -> int:
    # No convolution but the segmentation layers has a bias; a norm has two parameters per channel.
    encoder = 0
    for before, after in [(3, 16), (16, 32), (32, 64), (64, 128), (128, 256)]:
        convolution = 9 * before * after
        context = 2 * (2 * after + 9 * after * after)
        closing_norm = 2 * after
        encoder += convolution + context + closing_norm
    upsampling = sum(9 * 2 * after * after + 2 * after for after in (128, 64, 32, 16))
    localization = 0
    for channels in (128, 64, 32):
        keeping = 9 * (2 * channels) ** 2 + 2 * (2 * channels)
        halving = 2 * channels * channels + 2 * channels
        localization += keeping + halving
    last = 9 * 32 * 32 + 2 * 32
    segmentation = (64 + 1) + (32 + 1) + (32 + 1)
    return encoder + upsampling + localization + last + segmentation


def test_parameters_are_as_many_as_counted_by_hand() -> None:
    found = sum(parameter.numel() for parameter in ImprovedUNet().parameters())
    assert found == count_by_hand() == 3_186_483
    assert "3,186,483" in (ImprovedUNet.__doc__ or "")


def test_segmentation_layers_are_summed() -> None:
    network = ImprovedUNet(2, width=4).eval()
    heads = [network.segmentation_head, *network.coarse_heads]
    images = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        for head in heads:
            head.get_parameter("weight").zero_()
        for head, bias in zip(heads, ([1.0, 2.0], [10.0, 20.0], [100.0, 200.0]), strict=True):
            head.get_parameter("bias").copy_(torch.tensor(bias))
        logits = network(images)
    expected = torch.tensor([111.0, 222.0]).reshape(1, 2, 1, 1).expand_as(logits)
    torch.testing.assert_close(logits, expected)


def test_dropout_acts_in_training_only() -> None:
    network = ImprovedUNet(width=4, dropout=0.3)
    images = torch.rand(1, 3, 32, 32)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


def test_maps_of_one_pixel_are_refused() -> None:
    with pytest.raises(ValueError, match="16, and at least 32: use 32x48"):
        ImprovedUNet(width=4)(torch.zeros(1, 3, 16, 48))


@pytest.mark.parametrize("parameters", [{"width": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_parameters_that_do_not_fit_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="network 'improved_unet' does not take"):
        create_network("improved_unet", parameters=parameters)
