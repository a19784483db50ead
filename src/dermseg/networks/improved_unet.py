"""The improved U-Net of the BraTS 2017 challenge, in two dimensions."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork

__all__ = ["ImprovedUNet"]


class ImprovedUNet(SegmentationNetwork):
    """Improved U-Net: residual context modules, localisation modules, summed segmentation layers.

    Five levels. The encoder has on each a 3x3 convolution (strided from the second on) and a
    context module around it; the decoder an upsampling module, the skip connection and a
    localisation module. 1x1 segmentation layers on the three finest levels of the decoder are
    enlarged and summed into one map of logits: deep supervision without losses of its own.
    Activations are leaky ReLUs of slope 0.01 behind instance norms.

    Differs from the paper in two dimensions instead of three, and in what it leaves open: maps of
    segmentation layers are enlarged bilinearly, and dropout draws single values. With the
    default width and one class it has 3,186,483 parameters. Sizes must be multiples of 16, and at
    least 32: at 16 the deepest maps are one pixel, which instance norm turns into nothing.

    Args:
        num_classes: Maps of logits.
        width: Channels at full resolution; doubled on each level.
        dropout: Share of values that the context modules drop in training.

    Raises:
        ValueError: If ``width`` is below 1 or ``dropout`` is not in [0, 1).

    References:
        Isensee et al. (2017), arXiv:1802.10508.
    """

    size_multiple = 16
    min_side = 32
    # Instance norm on a CPU is slow with the channels last: half the images a second.
    memory_format = torch.contiguous_format

    def __init__(self, num_classes: int = 1, *, width: int = 16, dropout: float = 0.3) -> None:
        super().__init__()
        if width < 1 or not 0 <= dropout < 1:
            message = (
                f"width is {width} and dropout {dropout}, expected at least 1, and 0 to below 1"
            )
            raise ValueError(message)
        widths = [width * 2**level for level in range(5)]
        self.encoder = nn.ModuleList(
            _EncoderLevel(before, after, stride=1 if level == 0 else 2, dropout=dropout)
            for level, (before, after) in enumerate(pairwise([3, *widths]))
        )
        upwards = widths[::-1]
        self.upsampling = nn.ModuleList(_upsampling(2 * out, out) for out in upwards[1:])
        # The finest level has one convolution instead of a localisation module.
        self.decoder = nn.ModuleList(
            [_localization(out) for out in upwards[1:-1]] + [_conv(2 * width, 2 * width)]
        )
        self.coarse_heads = nn.ModuleList(
            nn.Conv2d(channels, num_classes, kernel_size=1) for channels in upwards[2:4]
        )
        self.segmentation_head = nn.Conv2d(2 * width, num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        skips = []
        features = images
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        levels = []
        for upsampling, block, skip in zip(
            self.upsampling, self.decoder, skips[-2::-1], strict=True
        ):
            features = block(torch.cat([upsampling(features), skip], dim=1))
            levels.append(features)
        quarter, half = (
            head(level) for head, level in zip(self.coarse_heads, levels[1:3], strict=True)
        )
        return [_double(_double(quarter) + half) + self.segmentation_head(features)]


class _EncoderLevel(nn.Module):
    """A convolution, and a context module (a residual block, activated before) around it."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False
        )
        self.context = nn.Sequential(
            *_norm_and_activation(out_channels),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.Dropout(dropout),
            *_norm_and_activation(out_channels),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
        )
        self.activation = nn.Sequential(*_norm_and_activation(out_channels))

    def forward(self, features: Tensor) -> Tensor:
        features = self.convolution(features)
        activated: Tensor = self.activation(features + self.context(features))
        return activated


def _norm_and_activation(channels: int) -> tuple[nn.Module, nn.Module]:
    # Not in place: the residual is added to what the first norm reads.
    return nn.InstanceNorm2d(channels, affine=True), nn.LeakyReLU(0.01)


def _conv(in_channels: int, out_channels: int, *, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
        *_norm_and_activation(out_channels),
    )


def _upsampling(in_channels: int, out_channels: int) -> nn.Sequential:
    """Pixels repeated twice, then half the channels."""
    return nn.Sequential(nn.Upsample(scale_factor=2), _conv(in_channels, out_channels))


def _localization(channels: int) -> nn.Sequential:
    """From ``2 * channels``, upsampled features and skip, to ``channels``."""
    return nn.Sequential(_conv(2 * channels, 2 * channels), _conv(2 * channels, channels, kernel=1))


def _double(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
