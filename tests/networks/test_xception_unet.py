"""The Xception-style U-Net's size and alignment."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dermseg.errors import RecipeError
from dermseg.networks import XceptionUNet, create_network
from dermseg.networks.base import SegmentationNetwork


def count(network: SegmentationNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def count_by_hand(num_classes: int) -> int:
    # A batch norm has two parameters per channel, every convolution but a depthwise one a bias.
    stem = 9 * 3 * 32 + 32 + 2 * 32
    down = 0
    for before, after in [(32, 64), (64, 128), (128, 256)]:
        first = 9 * before + before * after + after + 2 * after
        second = 9 * after + after * after + after + 2 * after
        shortcut = before * after + after
        down += first + second + shortcut
    up = 0
    for before, after in [(256, 256), (256, 128), (128, 64), (64, 32)]:
        first = 9 * before * after + after + 2 * after
        second = 9 * after * after + after + 2 * after
        shortcut = before * after + after
        up += first + second + shortcut
    return stem + down + up + 9 * 32 * num_classes + num_classes


def test_two_classes_have_the_examples_number_of_parameters() -> None:
    assert count_by_hand(2) == 2_054_914
    assert count(XceptionUNet(2)) == 2_054_914
    assert count(XceptionUNet()) == count_by_hand(1) == 2_054_625
    assert "2,054,914" in (XceptionUNet.__doc__ or "")
    assert "2,054,625" in (XceptionUNet.__doc__ or "")


def test_pooling_sees_what_keras_padding_shows_it() -> None:
    network = XceptionUNet(widths=[4, 8]).eval()
    features = torch.rand(2, 4, 6, 8)
    block = network.encoder[0]
    convolutions, shortcut = (block.get_submodule(name) for name in ("convolutions", "shortcut"))
    padded = F.pad(convolutions(features), (0, 1, 0, 1), value=-torch.inf)
    weight, bias = shortcut.get_parameter("weight"), shortcut.get_parameter("bias")
    expected = F.max_pool2d(padded, 3, stride=2) + F.conv2d(features, weight, bias, stride=2)
    torch.testing.assert_close(block(features), expected)


def test_projecting_before_enlarging_gives_the_examples_numbers() -> None:
    network = XceptionUNet(widths=[4, 8]).eval()
    features = torch.rand(2, 8, 3, 4)
    block = network.decoder[0]
    convolutions, shortcut = (block.get_submodule(name) for name in ("convolutions", "shortcut"))
    expected = F.interpolate(convolutions(features), scale_factor=2.0) + shortcut(
        F.interpolate(features, scale_factor=2.0)
    )
    torch.testing.assert_close(block(features), expected)


@pytest.mark.parametrize("widths", [[16], [16, 0], [4.5, 8.5], 16])
def test_widths_that_do_not_fit_are_refused(widths: object) -> None:
    with pytest.raises(RecipeError, match="network 'xception_unet' does not take"):
        create_network("xception_unet", parameters={"widths": widths})
