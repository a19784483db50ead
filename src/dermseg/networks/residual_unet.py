"""A small residual U-Net that works at half resolution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork, conv_norm_relu

__all__ = ["ResidualUNet"]


class ResidualUNet(SegmentationNetwork):
    """Residual encoder and decoder below a strided stem, with context at the bottom.

    A deep residual U-Net with three changes that make it quick on a CPU and sure of the whole:
    the stem halves the resolution, so the costly full-size levels are gone; atrous spatial
    pyramid pooling with a global branch at the bottom sees the whole image; auxiliary heads on
    the coarser decoder levels supervise them in training. Logits are upsampled bilinearly.

    With the default widths and one class it has 1,515,484 parameters (of which 203 in the
    auxiliary heads). Sizes must be multiples of ``2**len(widths)``.

    Args:
        num_classes: Maps of logits.
        widths: Channels per level, from half resolution downwards; at least two levels of two.

    Raises:
        ValueError: If there are too few levels or channels.

    References:
        Zhang et al. (2018), arXiv:1711.10684 (residual U-Net); Chen et al. (2017),
        arXiv:1706.05587 (pooling pyramid); Lee et al. (2015), arXiv:1409.5185 (deep supervision).
    """

    def __init__(
        self, num_classes: int = 1, *, widths: Sequence[int] = (16, 32, 64, 104, 160)
    ) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths) < 2:
            message = f"widths is {list(widths)}, expected at least 2 levels of at least 2 channels"
            raise ValueError(message)
        self.size_multiple = 2 ** len(widths)
        self.stem = conv_norm_relu(3, widths[0], stride=2)
        self.encoder = nn.ModuleList(
            [_ResidualBlock(widths[0], widths[0])]
            + [_ResidualBlock(before, after, stride=2) for before, after in pairwise(widths)]
        )
        self.context = _PoolingPyramid(widths[-1])
        upwards = widths[-2::-1]
        self.decoder = nn.ModuleList(
            _ResidualBlock(below + skip, skip)
            for below, skip in zip(widths[:0:-1], upwards, strict=True)
        )
        self.segmentation_head = nn.Conv2d(widths[0], num_classes, kernel_size=1)
        self.auxiliary_heads = nn.ModuleList(
            nn.Conv2d(channels, num_classes, kernel_size=1) for channels in upwards[:-1]
        )

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """Logits at the input's size; in training mode those of the coarser levels behind."""
        skips = []
        features = self.stem(images)
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        features = self.context(features)
        levels = []
        for block, skip in zip(self.decoder, skips[-2::-1], strict=True):
            upsampled = _upsample(features, 2)
            features = block(torch.cat([upsampled, skip], dim=1))
            levels.append(features)
        logits = [_upsample(self.segmentation_head(features), 2)]
        if self.training:
            heads = zip(self.auxiliary_heads, levels[:-1], strict=True)
            logits += [head(level) for head, level in reversed(list(heads))]
        return logits


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, which is projected where the shape changes.

    The projection's stride is taken as a slice: oneDNN's strided 1x1 convolution writes outside
    its memory in the backward pass of narrow float32 maps with the channels last
    (https://github.com/uxlfoundation/oneDNN/issues/6035).
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_norm_relu(in_channels, out_channels, stride=stride)
        self.second = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.stride = stride
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, features: Tensor) -> Tensor:
        sampled = features[..., :: self.stride, :: self.stride]
        return F.relu(self.second(self.first(features)) + self.shortcut(sampled))


class _PoolingPyramid(nn.Module):
    """Views of three reaches and of the whole image, put together."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        branch = channels // 2
        self.branches = nn.ModuleList(
            [conv_norm_relu(channels, branch, kernel=1)]
            + [conv_norm_relu(channels, branch, dilation=dilation) for dilation in (1, 2)]
        )
        # No batch norm here: a batch of one image has one value per channel.
        self.whole = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, branch, kernel_size=1), nn.ReLU()
        )
        self.project = conv_norm_relu(4 * branch, channels, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        views = [branch(features) for branch in self.branches]
        whole = self.whole(features).expand(-1, -1, *features.shape[-2:])
        projected: Tensor = self.project(torch.cat([*views, whole], dim=1))
        return projected


def _upsample(features: Tensor, factor: int) -> Tensor:
    return F.interpolate(features, scale_factor=factor, mode="bilinear", align_corners=False)
