"""The classic U-Net."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork, conv_norm_relu

__all__ = ["UNet"]


class UNet(SegmentationNetwork):
    """U-Net: two convolutions per level, skip connections, transposed or repeated pixels upwards.

    Differs from the paper in batch norm after each convolution (so convolutions have no bias),
    in padded convolutions (the logits have the input's size) and in a settable width. With the
    paper's ``width=64, depth=4`` and one class it has 31,037,633 parameters; with ``width=16``
    1,942,577. Sizes must be multiples of ``2**depth``.

    The way up of a Keras U-Net on ISIC 2018 is ``up="upsample", up_kernel=2, bias=True``: pixels
    are repeated, and two 2x2 convolutions follow. With ``width=16`` it has 1,530,369 parameters.

    Args:
        num_classes: Maps of logits.
        width: Channels at full resolution; doubled on each level.
        depth: Number of times that the resolution is halved.
        batch_norm: Without it convolutions have a bias, as in the paper, and each image's logits
            and gradients are independent of the rest of its batch.
        up: ``transposed`` doubles the size by a transposed convolution that halves the channels,
            as in the paper; ``upsample`` repeats each pixel.
        up_kernel: Side of the kernels of the convolutions on the way up. Even ones reach one pixel
            further to the right and downwards.
        bias: Convolutions before batch norm have a bias, too, which changes nothing but the count.

    Raises:
        ValueError: If ``width``, ``depth`` or ``up_kernel`` is below 1, or ``up`` is unknown.

    References:
        Ronneberger et al. (2015), arXiv:1505.04597; Ioffe and Szegedy (2015), arXiv:1502.03167;
        Hansen (2020), github.com/shakes76/PatternFlow (the Keras U-Net on ISIC 2018).
    """

    def __init__(
        self,
        num_classes: int = 1,
        *,
        width: int = 64,
        depth: int = 4,
        batch_norm: bool = True,
        up: Literal["transposed", "upsample"] = "transposed",
        up_kernel: int = 3,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if min(width, depth, up_kernel) < 1:
            message = (
                f"width is {width}, depth {depth} and up_kernel {up_kernel}, expected at least 1 "
                "each"
            )
            raise ValueError(message)
        if up not in {"transposed", "upsample"}:
            message = f"up is '{up}', expected 'transposed' or 'upsample'"
            raise ValueError(message)
        self.size_multiple = 2**depth
        widths = [width * 2**level for level in range(depth + 1)]
        block = partial(_double_conv, batch_norm=batch_norm, bias=bias)
        self.encoder = nn.ModuleList(
            block(before, after, kernel=3) for before, after in pairwise([3, *widths])
        )
        upwards = widths[-2::-1]
        is_transposed = up == "transposed"
        self.upsampling = nn.ModuleList(
            nn.ConvTranspose2d(2 * out, out, kernel_size=2, stride=2)
            if is_transposed
            else nn.Upsample(scale_factor=2)
            for out in upwards
        )
        self.decoder = nn.ModuleList(
            block((2 if is_transposed else 3) * out, out, kernel=up_kernel) for out in upwards
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


def _double_conv(
    in_channels: int, out_channels: int, *, kernel: int, batch_norm: bool, bias: bool
) -> nn.Sequential:
    steps = [(in_channels, out_channels), (out_channels, out_channels)]
    if batch_norm and kernel == 3 and not bias:
        return nn.Sequential(*(conv_norm_relu(before, after) for before, after in steps))
    layers: list[nn.Module] = []
    before_size, after_size = (kernel - 1) // 2, kernel // 2
    for before, after in steps:
        if before_size != after_size:
            layers.append(nn.ZeroPad2d((before_size, after_size, before_size, after_size)))
        layers.append(
            nn.Conv2d(
                before,
                after,
                kernel,
                padding=before_size if before_size == after_size else 0,
                bias=bias or not batch_norm,
            )
        )
        layers += [nn.BatchNorm2d(after)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
