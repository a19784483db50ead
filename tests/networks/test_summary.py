"""Counted parameters and multiply-adds against counts by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dermseg.networks import NETWORKS, SegmentationNetwork, create_network
from dermseg.networks.summary import Block, summarize

SIZE = (64, 96)


class ThreeConvolutions(SegmentationNetwork):
    """A strided, a grouped and a transposed convolution, and a head for training."""

    size_multiple = 2

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1)
        self.middle = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False), nn.BatchNorm2d(8))]
        )
        self.up = nn.ConvTranspose2d(8, 2, kernel_size=2, stride=2)
        self.auxiliary_head = nn.Conv2d(8, 2, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        return [self.up(self.middle[0](self.down(images)))]


def create(name: str, **parameters: Any) -> SegmentationNetwork:
    with torch.device("meta"):
        return create_network(name, parameters=parameters)


def test_small_network_is_counted_as_by_hand() -> None:
    with torch.device("meta"):
        found = summarize(ThreeConvolutions(), size=(10, 12))
    pixels = 5 * 6
    assert found.blocks == (
        Block("down", (8, 5, 6), 3 * 8 * 9 + 8, pixels * 3 * 8 * 9),
        Block("middle.0", (8, 5, 6), 8 * 2 * 9 + 2 * 8, pixels * 8 * 2 * 9),
        Block("up", (2, 10, 12), 8 * 2 * 4 + 2, pixels * 8 * 2 * 4),
        Block("auxiliary_head", None, 8 * 2 + 2, 0),
    )
    assert found.size == (10, 12)
    assert found.num_parameters == 224 + 160 + 66 + 18
    assert found.num_multiply_adds == 30 * (216 + 144 + 64)


def test_unet_is_counted_as_by_hand() -> None:
    found = summarize(create("unet", width=4, depth=1), size=(16, 20))
    full, half = 16 * 20, 8 * 10
    encoder = full * (9 * 3 * 4 + 9 * 4 * 4) + half * (9 * 4 * 8 + 9 * 8 * 8)
    upsampling = half * 8 * 4 * 4
    decoder = full * (9 * 8 * 4 + 9 * 4 * 4)
    assert found.num_multiply_adds == encoder + upsampling + decoder + full * 4
    names = [block.name for block in found.blocks]
    assert names == ["encoder.0", "encoder.1", "upsampling.0", "decoder.0", "segmentation_head"]


@pytest.mark.parametrize("name", [*NETWORKS, "smp:unet/resnet18"])
def test_blocks_add_up_to_the_network(name: str) -> None:
    found = summarize(create(name), size=SIZE)
    assert sum(block.num_parameters for block in found.blocks) == found.num_parameters
    assert sum(block.num_multiply_adds for block in found.blocks) == found.num_multiply_adds > 0
    assert found.num_parameters == sum(p.numel() for p in create(name).parameters())
    for block in found.blocks:
        assert block.output_shape is not None or "auxiliary" in block.name


def test_multiply_adds_grow_with_the_pixels() -> None:
    network = create("xception_unet")
    once, fourfold = (summarize(network, size=size) for size in [(64, 96), (128, 192)])
    assert fourfold.num_multiply_adds == 4 * once.num_multiply_adds
    assert fourfold.num_parameters == once.num_parameters


def test_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="use 64x96"):
        summarize(create("xception_unet"), size=(66, 96))
