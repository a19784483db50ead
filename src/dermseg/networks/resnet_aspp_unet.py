"""A U-Net for dermoscopic attributes with a ResNet as encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dermseg.networks.attribute_unet import AtrousBranches, TransposedDecoder
from dermseg.networks.base import SegmentationNetwork
from dermseg.networks.encoders import create_resnet_encoder

__all__ = ["ResNetASPPUNet"]


class ResNetASPPUNet(SegmentationNetwork):
    """U-Net on a ResNet, with atrous branches beside the deepest features.

    Three atrous branches look at the encoder's last features, a 32nd of the size, and are put
    beside them; a decoder of transposed convolutions takes the encoder's other features as skips.

    The thesis describes this variant and publishes no code of it: the branches and the steps of
    the decoder are those of ``inception_aspp_unet``, its widths are halved from step to step.

    With the defaults and one class it has 69,424,401 parameters, with ``encoder="resnet18"``
    22,783,761. Sizes must be multiples of 32. Pre-trained weights expect ImageNet's mean and
    standard deviation.

    Args:
        num_classes: Maps of logits.
        encoder: A ``resnet...`` model of timm.
        pretrained: Fetch the encoder's ImageNet weights from the model hub.
        aspp_width: Channels of each atrous branch.
        decoder_widths: Channels of the decoder's five steps.
        dropout: Share of maps that the decoder's second step drops in training.

    Raises:
        RecipeError: If there is no such encoder, or its weights cannot be fetched.
        ValueError: If a width is below 1, there are not five of them, or ``dropout`` is not in
            [0, 1).

    References:
        He et al. (2015), arXiv:1512.03385 (ResNet); Chen et al. (2017), arXiv:1706.05587 (atrous
        spatial pyramid pooling); Caramazana (2021),
        https://github.com/CesarCaramazana/DermoscopicSegmentation (their union).
    """

    size_multiple = 32

    def __init__(
        self,
        num_classes: int = 1,
        *,
        encoder: str = "resnet101",
        pretrained: bool = False,
        aspp_width: int = 256,
        decoder_widths: Sequence[int] = (256, 128, 64, 32, 16),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if aspp_width < 1:
            message = f"aspp_width is {aspp_width}, expected at least 1"
            raise ValueError(message)
        self.encoder, channels = create_resnet_encoder(encoder, pretrained=pretrained)
        *skips, deepest = channels
        self.context = AtrousBranches(deepest, aspp_width)
        self.decoder = TransposedDecoder(
            deepest + 3 * aspp_width, skips[::-1], decoder_widths, dropout=dropout
        )
        self.segmentation_head = nn.Conv2d(decoder_widths[-1], num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        *skips, features = self.encoder(images)
        deepest = torch.cat([self.context(features), features], dim=1)
        return [self.segmentation_head(self.decoder(deepest, skips[::-1]))]
