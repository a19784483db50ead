"""Parts of the two networks for dermoscopic attributes: atrous branches and a decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dermseg.networks.base import conv_norm_relu

__all__ = ["AtrousBranches", "TransposedDecoder"]


class AtrousBranches(nn.Module):
    """Three views of different reach, side by side.

    Each is a 3x3 convolution of dilation 2, 3 or 4 and two plain ones; the last takes the stride.

    Args:
        in_channels: Channels of the features.
        width: Channels of each view.
        stride: By which the size is divided.
    """

    def __init__(self, in_channels: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                conv_norm_relu(in_channels, width, dilation=dilation),
                conv_norm_relu(width, width),
                conv_norm_relu(width, width, stride=stride),
            )
            for dilation in (2, 3, 4)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 3 * width, H / stride, W / stride)."""
        return torch.cat([branch(features) for branch in self.branches], dim=1)


class TransposedDecoder(nn.Module):
    """Doubles the size once per width; behind each step but the last a skip is put beside.

    A step is a transposed 3x3 convolution and a plain one. The second drops whole maps in between.

    Args:
        in_channels: Channels of the deepest features.
        skips: Channels of the skips, the deepest first.
        widths: Channels of each step, one more than there are skips.
        dropout: Share of maps that are dropped in training.

    Raises:
        ValueError: If there are too many or too few widths, or one below 1, or ``dropout`` is not
            in [0, 1).
    """

    def __init__(
        self, in_channels: int, skips: Sequence[int], widths: Sequence[int], *, dropout: float
    ) -> None:
        super().__init__()
        if len(widths) != len(skips) + 1 or min(widths) < 1:
            message = (
                f"decoder_widths is {list(widths)}, expected {len(skips) + 1} numbers from 1 on"
            )
            raise ValueError(message)
        if not 0 <= dropout < 1:
            message = f"dropout is {dropout}, expected 0 to below 1"
            raise ValueError(message)
        before = [in_channels] + [
            width + skip for width, skip in zip(widths[:-1], skips, strict=True)
        ]
        self.steps = nn.ModuleList(
            _doubling(channels, width, dropout=dropout if number == 1 else 0)
            for number, (channels, width) in enumerate(zip(before, widths, strict=True))
        )

    def forward(self, features: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Features at twice the size of the last skip; ``skips`` begin with the deepest."""
        for step, skip in zip(self.steps, skips, strict=False):
            features = torch.cat([step(features), skip], dim=1)
        doubled: Tensor = self.steps[-1](features)
        return doubled


def _doubling(in_channels: int, out_channels: int, *, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(
            in_channels,
            out_channels,
            kernel_size=3,
            stride=2,
            padding=1,
            output_padding=1,
            bias=False,
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
        nn.Dropout2d(dropout),
        conv_norm_relu(out_channels, out_channels),
    )
