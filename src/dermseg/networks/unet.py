"""The classic U-Net."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork, conv_norm_relu

__all__ = ["UNet"]


class UNet(SegmentationNetwork):
    """U-Net: two convolutions per level, skip connections, transposed convolutions upwards.

    Differs from the paper in batch norm after each convolution (so convolutions have no bias),
    in padded convolutions (the logits have the input's size) and in a settable width. With the
    paper's ``width=64, depth=4`` and one class it has 31,037,633 parameters; with ``width=16``
    1,942,577. Sizes must be multiples of ``2**depth``.

    Args:
        num_classes: Maps of logits.
        width: Channels at full resolution; doubled on each level.
        depth: Number of times that the resolution is halved.
        batch_norm: Without it convolutions have a bias, as in the paper, and each image's logits
            and gradients are independent of the rest of its batch.

    Raises:
        ValueError: If ``width`` or ``depth`` is below 1.

    References:
        Ronneberger et al. (2015), arXiv:1505.04597; Ioffe and Szegedy (2015), arXiv:1502.03167.
    """

    def __init__(
        self, num_classes: int = 1, *, width: int = 64, depth: int = 4, batch_norm: bool = True
    ) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            message = f"width is {width} and depth {depth}, expected at least 1 each"
            raise ValueError(message)
        self.size_multiple = 2**depth
        widths = [width * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(
            _double_conv(before, after, batch_norm=batch_norm)
            for before, after in pairwise([3, *widths])
        )
        self.upsampling = nn.ModuleList(
            nn.ConvTranspose2d(2 * out, out, kernel_size=2, stride=2) for out in widths[-2::-1]
        )
        self.decoder = nn.ModuleList(
            _double_conv(2 * out, out, batch_norm=batch_norm) for out in widths[-2::-1]
        )
        self.segmentation_head = nn.Conv2d(width, num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        skips = []
        features = images
        for level, block in enumerate(self.encoder):
            features = block(features if level == 0 else F.max_pool2d(features, 2))
            skips.append(features)
        for upsampling, block, skip in zip(
            self.upsampling, self.decoder, skips[-2::-1], strict=True
        ):
            features = block(torch.cat([skip, upsampling(features)], dim=1))
        return [self.segmentation_head(features)]


def _double_conv(in_channels: int, out_channels: int, *, batch_norm: bool) -> nn.Sequential:
    steps = [(in_channels, out_channels), (out_channels, out_channels)]
    if batch_norm:
        return nn.Sequential(*(conv_norm_relu(before, after) for before, after in steps))
    layers: list[nn.Module] = []
    for before, after in steps:
        layers += [nn.Conv2d(before, after, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
