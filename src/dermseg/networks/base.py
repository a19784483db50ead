"""The base of every network."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

__all__ = ["SegmentationNetwork", "conv_norm_relu"]


class SegmentationNetwork(nn.Module, ABC):
    """Maps a batch of images to one map of logits per class, at the images' size.

    Attributes:
        size_multiple: Height and width of the input must be multiples of it.
        min_side: The least height and width, itself such a multiple; None where one multiple will
            do.
        memory_format: The order in memory at which it trains fastest: for convolutions on CPUs
            and on tensor cores the channels last.
        imagenet_mean: Mean per channel, in [0, 1], that pre-trained weights expect.
        imagenet_std: The standard deviation that goes with it.
    """

    size_multiple: int
    min_side: int | None = None
    memory_format: torch.memory_format = torch.channels_last
    imagenet_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    imagenet_std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch.

        Args:
            images: (N, 3, H, W) float, normalised.

        Returns:
            (N, classes, H, W) float, not yet squashed.

        Raises:
            ValueError: If :meth:`check_size` refuses H and W; names a size to use.
        """
        self.check_size(*images.shape[-2:])
        return self.compute_logits(images)[0]

    def training_logits(self, images: Tensor) -> list[Tensor]:
        """The logits of :meth:`forward`, then those of auxiliary heads, coarser and coarser.

        Networks without deep supervision give one tensor.
        """
        self.check_size(*images.shape[-2:])
        return self.compute_logits(images)

    @abstractmethod
    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """Logits at the input's size first; in training mode, auxiliary logits behind."""

    def check_size(self, height: int, width: int) -> None:
        """Refuse a size that the network cannot take.

        Raises:
            ValueError: If a side is not a multiple of ``size_multiple``, or below ``min_side``;
                names a size to use.
        """
        multiple = self.size_multiple
        least = self.min_side or multiple
        if height % multiple or width % multiple or min(height, width) < least:
            nearest = tuple(
                max(least, round(side / multiple) * multiple) for side in (height, width)
            )
            limit = f", and at least {least}" if least > multiple else ""
            message = (
                f"the input is {height}x{width} (height x width), but this network needs multiples "
                f"of {multiple}{limit}: use {nearest[0]}x{nearest[1]}"
            )
            raise ValueError(message)


def conv_norm_relu(
    in_channels: int, out_channels: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU; keeps the size at stride 1."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            padding=kernel // 2 * dilation,
            dilation=dilation,
            bias=False,
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
