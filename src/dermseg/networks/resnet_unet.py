"""The classic U-Net's decoder on a ResNet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork, conv_norm_relu
from dermseg.networks.encoders import create_resnet_encoder

__all__ = ["ResNetUNet"]


class ResNetUNet(SegmentationNetwork):
    """U-Net with a ResNet as encoder.

    Per step of the decoder a transposed 2x2 convolution, the encoder's features of that size, and
    two 3x3 convolutions with batch norm; the last step, to the input's size, has no features of
    the encoder. Differs from the U-Net of the paper in the encoder, in padding and in batch norm.

    With the defaults and one class it has 49,460,225 parameters, with ``encoder="resnet18"``
    14,241,281. Sizes must be multiples of 32. Pre-trained weights expect ImageNet's mean and
    standard deviation.

    Args:
        num_classes: Maps of logits.
        encoder: A ``resnet...`` model of timm.
        pretrained: Fetch the encoder's ImageNet weights from the model hub.
        decoder_widths: Channels of the decoder's five steps.

    Raises:
        RecipeError: If there is no such encoder, or its weights cannot be fetched.
        ValueError: If a width is below 1, or there are not five of them.

    References:
        Ronneberger et al. (2015), arXiv:1505.04597; He et al. (2015), arXiv:1512.03385.
    """

    size_multiple = 32

    def __init__(
        self,
        num_classes: int = 1,
        *,
        encoder: str = "resnet101",
        pretrained: bool = False,
        decoder_widths: Sequence[int] = (256, 128, 64, 32, 16),
    ) -> None:
        super().__init__()
        if len(decoder_widths) != 5 or min(decoder_widths) < 1:
            message = f"decoder_widths is {list(decoder_widths)}, expected 5 numbers from 1 on"
            raise ValueError(message)
        self.encoder, channels = create_resnet_encoder(encoder, pretrained=pretrained)
        below = [channels[-1], *decoder_widths[:-1]]
        skips = [*channels[-2::-1], 0]
        self.upsampling = nn.ModuleList(
            nn.ConvTranspose2d(before, width, kernel_size=2, stride=2)
            for before, width in zip(below, decoder_widths, strict=True)
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(conv_norm_relu(width + skip, width), conv_norm_relu(width, width))
            for width, skip in zip(decoder_widths, skips, strict=True)
        )
        self.segmentation_head = nn.Conv2d(decoder_widths[-1], num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        *skips, features = self.encoder(images)
        for upsampling, block, skip in zip(
            self.upsampling, self.decoder, [*skips[::-1], None], strict=True
        ):
            features = upsampling(features)
            features = block(features if skip is None else torch.cat([skip, features], dim=1))
        return [self.segmentation_head(features)]
