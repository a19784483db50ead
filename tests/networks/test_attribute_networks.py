"""The two networks for attributes, and the U-Net on a ResNet: sizes, as counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from dermseg.errors import RecipeError
from dermseg.networks import InceptionASPPUNet, ResNetASPPUNet, ResNetUNet, create_network
from dermseg.networks.encoders import create_inception_encoder


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def conv_norm(in_channels: int, out_channels: int, kernel: int = 3) -> int:
    """A convolution without bias and a norm of two parameters per channel."""
    return kernel * kernel * in_channels * out_channels + 2 * out_channels


def inception_encoder() -> int:
    stem = conv_norm(3, 32) + conv_norm(32, 32) + conv_norm(32, 64)
    stem += conv_norm(64, 80, 1) + conv_norm(80, 192)
    mixed = 0
    for channels, pooled in [(192, 32), (256, 64), (288, 64)]:
        mixed += conv_norm(channels, 64, 1)
        mixed += conv_norm(channels, 48, 1) + conv_norm(48, 64, 5)
        mixed += conv_norm(channels, 64, 1) + conv_norm(64, 96) + conv_norm(96, 96)
        mixed += conv_norm(channels, pooled, 1)
    return stem + mixed


def resnet18() -> int:
    total = conv_norm(3, 64, 7)
    for before, after in [(64, 64), (64, 128), (128, 256), (256, 512)]:
        total += conv_norm(before, after) + 3 * conv_norm(after, after)
        total += conv_norm(before, after, 1) if before != after else 0
    return total


def resnet101() -> int:
    total = conv_norm(3, 64, 7)
    before = 64
    for inner, num_blocks in [(64, 3), (128, 4), (256, 23), (512, 3)]:
        after = 4 * inner
        total += conv_norm(before, after, 1)  # the first block's shortcut
        for block in range(num_blocks):
            total += conv_norm(before if block == 0 else after, inner, 1)
            total += conv_norm(inner, inner) + conv_norm(inner, after, 1)
        before = after
    return total


def atrous_branches(channels: int) -> int:
    return 3 * (conv_norm(channels, 256) + 2 * conv_norm(256, 256))


def transposed_decoder(inputs: list[int], widths: list[int]) -> int:
    pairs = zip(inputs, widths, strict=True)
    return sum(conv_norm(before, width) + conv_norm(width, width) for before, width in pairs)


def classic_decoder(inputs: list[int], skips: list[int], widths: list[int]) -> int:
    total = 0
    for before, skip, width in zip(inputs, skips, widths, strict=True):
        transposed = 4 * before * width + width
        total += transposed + conv_norm(width + skip, width) + conv_norm(width, width)
    return total


def test_inception_aspp_unet_has_the_parameters_counted_by_hand() -> None:
    decoder = transposed_decoder([288 + 3 * 256, 512 + 192, 256 + 64], [512, 256, 256])
    head = 256 + 1
    by_hand = inception_encoder() + atrous_branches(192) + decoder + head
    with torch.device("meta"):
        assert count(InceptionASPPUNet()) == by_hand == 16_630_497
    assert "16,630,497" in (InceptionASPPUNet.__doc__ or "")


@pytest.mark.parametrize(
    ("encoder", "in_encoder", "deepest", "skips", "stated"),
    [
        ("resnet101", resnet101(), 2048, [1024, 512, 256, 64], "69,424,401"),
        ("resnet18", resnet18(), 512, [256, 128, 64, 64], "22,783,761"),
    ],
)
def test_resnet_aspp_unet_has_the_parameters_counted_by_hand(
    encoder: str, in_encoder: int, deepest: int, skips: list[int], stated: str
) -> None:
    widths = [256, 128, 64, 32, 16]
    behind = [width + skip for width, skip in zip(widths[:4], skips, strict=True)]
    decoder = transposed_decoder([deepest + 3 * 256, *behind], widths)
    by_hand = in_encoder + atrous_branches(deepest) + decoder + 16 + 1
    with torch.device("meta"):
        assert count(ResNetASPPUNet(encoder=encoder)) == by_hand
    assert f"{by_hand:,}" == stated
    assert stated in (ResNetASPPUNet.__doc__ or "")


@pytest.mark.parametrize(
    ("encoder", "in_encoder", "deepest", "skips", "stated"),
    [
        ("resnet101", resnet101(), 2048, [1024, 512, 256, 64], "49,460,225"),
        ("resnet18", resnet18(), 512, [256, 128, 64, 64], "14,241,281"),
    ],
)
def test_resnet_unet_has_the_parameters_counted_by_hand(
    encoder: str, in_encoder: int, deepest: int, skips: list[int], stated: str
) -> None:
    widths = [256, 128, 64, 32, 16]
    decoder = classic_decoder([deepest, *widths[:4]], [*skips, 0], widths)
    by_hand = in_encoder + decoder + 16 + 1
    with torch.device("meta"):
        assert count(ResNetUNet(encoder=encoder)) == by_hand
    assert f"{by_hand:,}" == stated
    assert stated in (ResNetUNet.__doc__ or "")


def test_inception_gives_halves() -> None:
    encoder, channels = create_inception_encoder(pretrained=False)
    assert channels == [64, 192, 288]
    sizes = [tuple(features.shape[1:]) for features in encoder(torch.zeros(2, 3, 40, 56))]
    assert sizes == [(64, 20, 28), (192, 10, 14), (288, 5, 7)]


def test_dropout_acts_in_training_only() -> None:
    network = InceptionASPPUNet(aspp_width=4, decoder_widths=[4, 4, 4])
    images = torch.rand(2, 3, 32, 32)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("inception_aspp_unet", {"aspp_width": 0}, "aspp_width is 0"),
        ("inception_aspp_unet", {"decoder_widths": [8, 8]}, "expected 3 numbers"),
        ("inception_aspp_unet", {"decoder_widths": [8, 8, 0]}, "expected 3 numbers"),
        ("inception_aspp_unet", {"dropout": 1.0}, "dropout is 1.0"),
        ("resnet_aspp_unet", {"encoder": "resnet18", "aspp_width": 0}, "aspp_width is 0"),
        ("resnet_aspp_unet", {"encoder": "resnet18", "decoder_widths": [8]}, "expected 5 numbers"),
        ("resnet_unet", {"encoder": "resnet18", "decoder_widths": [8]}, "expected 5 numbers"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    name: str, parameters: dict[str, Any], reason: str
) -> None:
    with torch.device("meta"), pytest.raises(RecipeError, match=reason) as caught:
        create_network(name, parameters=parameters)
    assert f"network '{name}' does not take these parameters" in str(caught.value)
