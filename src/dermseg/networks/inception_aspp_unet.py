"""A U-Net for dermoscopic attributes whose encoder is the start of Inception v3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dermseg.networks.attribute_unet import AtrousBranches, TransposedDecoder
from dermseg.networks.base import SegmentationNetwork
from dermseg.networks.encoders import create_inception_encoder

__all__ = ["InceptionASPPUNet"]


class InceptionASPPUNet(SegmentationNetwork):
    """U-Net on the first layers of Inception v3, with atrous branches beside the deepest.

    The encoder ends at an eighth of the size with 288 channels. Three atrous branches of 256
    channels lead from its 192 channels at a quarter there too, and all 1056 go into a decoder of
    transposed convolutions, with skips of 192 and 64 channels.

    Differs from the thesis' code in padded convolutions in the encoder, so that all sizes are
    halves; in transposed convolutions of 3x3 (there 7x7 ones stretch unpadded maps to fit, at five
    times the work) that narrow at once; and in no batch norm behind the logits. Atrous
    pooling there and here has no global branch and no 1x1 branch, as DeepLab v3 has.

    With the defaults and one class it has 16,630,497 parameters. Sizes must be multiples of 8.
    Pre-trained weights expect colours of mean and standard deviation 0.5.

    Args:
        num_classes: Maps of logits.
        pretrained: Fetch the encoder's ImageNet weights from the model hub.
        aspp_width: Channels of each atrous branch.
        decoder_widths: Channels of the decoder's three steps.
        dropout: Share of maps that the decoder's second step drops in training.

    Raises:
        RecipeError: If the pre-trained weights cannot be fetched.
        ValueError: If a width is below 1, there are not three of them, or ``dropout`` is not in
            [0, 1).

    References:
        Szegedy et al. (2015), arXiv:1512.00567 (Inception v3); Chen et al. (2017),
        arXiv:1706.05587 (atrous spatial pyramid pooling); Caramazana (2021),
        https://github.com/CesarCaramazana/DermoscopicSegmentation (their union).
    """

    size_multiple = 8

    def __init__(
        self,
        num_classes: int = 1,
        *,
        pretrained: bool = False,
        aspp_width: int = 256,
        decoder_widths: Sequence[int] = (512, 256, 256),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if aspp_width < 1:
            message = f"aspp_width is {aspp_width}, expected at least 1"
            raise ValueError(message)
        self.encoder, (half, quarter, eighth) = create_inception_encoder(pretrained=pretrained)
        self.context = AtrousBranches(quarter, aspp_width, stride=2)
        self.decoder = TransposedDecoder(
            eighth + 3 * aspp_width, [quarter, half], decoder_widths, dropout=dropout
        )
        self.segmentation_head = nn.Conv2d(decoder_widths[-1], num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        half, quarter, eighth = self.encoder(images)
        deepest = torch.cat([self.context(quarter), eighth], dim=1)
        return [self.segmentation_head(self.decoder(deepest, [quarter, half]))]
