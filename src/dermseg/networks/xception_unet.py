"""A U-Net of separable convolutions and residuals, after the Xception network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork

__all__ = ["XceptionUNet"]


class XceptionUNet(SegmentationNetwork):
    """Xception-style U-Net: separable convolutions down, transposed ones up, residuals for skips.

    The network of Keras' segmentation example. A strided stem; per level of the encoder two
    separable convolutions and a pooling; per level of the decoder two transposed convolutions and
    an upsampling that repeats pixels; around every level a projected residual. Nothing is carried
    from the encoder to the decoder. Strided steps are aligned as in Keras (padded right and
    below). Differs from the example in batch norm's constants, which are torch's, in one logit
    map where one class needs no second, and in that the decoder's residuals are projected before
    they are enlarged, which gives the same numbers at a quarter of the cost.

    With the default widths and two classes it has 2,054,914 trainable parameters, with one class
    2,054,625. Sizes must be multiples of ``2**len(widths)``.

    Args:
        num_classes: Maps of logits.
        widths: Channels of the stem and of each level of the encoder; the decoder's are the same
            from the last to the first.

    Raises:
        ValueError: If there are fewer than two widths, or one is below 1.

    References:
        Chollet (2020), "Image segmentation with a U-Net-like architecture",
        https://keras.io/examples/vision/oxford_pets_image_segmentation; Chollet (2016),
        arXiv:1610.02357 (Xception).
    """

    def __init__(self, num_classes: int = 1, *, widths: Sequence[int] = (32, 64, 128, 256)) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths) < 1:
            message = f"widths is {list(widths)}, expected at least 2 levels of at least 1 channel"
            raise ValueError(message)
        self.size_multiple = 2 ** len(widths)
        self.stem = nn.Conv2d(3, widths[0], kernel_size=3, stride=2)
        self.stem_norm = nn.BatchNorm2d(widths[0])
        self.encoder = nn.ModuleList(_DownBlock(*pair) for pair in pairwise(widths))
        self.decoder = nn.ModuleList(
            _UpBlock(*pair) for pair in pairwise([widths[-1], *reversed(widths)])
        )
        self.segmentation_head = nn.Conv2d(widths[0], num_classes, kernel_size=3, padding=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """One map of logits per class, (N, classes, H, W)."""
        features = F.relu(self.stem_norm(self.stem(F.pad(images, (0, 1, 0, 1)))))
        for block in (*self.encoder, *self.decoder):
            features = block(features)
        return [self.segmentation_head(features)]


class _DownBlock(nn.Module):
    """Two separable convolutions and a pooling beside a projection: half the size.

    The projection's stride is taken as a slice, for the reason given in ``residual_unet``.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.ReLU(),
            *_separable_conv(in_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            *_separable_conv(out_channels, out_channels),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        # The last window of a row reaches one pixel over the edge, as Keras' padding has it.
        pooled = F.max_pool2d(self.convolutions(features), 3, stride=2, ceil_mode=True)
        summed: Tensor = pooled + self.shortcut(features[..., ::2, ::2])
        return summed


class _UpBlock(nn.Module):
    """Two transposed convolutions beside a projection, then twice the size."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(in_channels, out_channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.ConvTranspose2d(out_channels, out_channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        summed = self.convolutions(features) + self.shortcut(features)
        return F.interpolate(summed, scale_factor=2, mode="nearest")


def _separable_conv(in_channels: int, out_channels: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Each channel by itself, then all together; one bias, as Keras has it."""
    return (
        nn.Conv2d(
            in_channels, in_channels, kernel_size=3, padding=1, groups=in_channels, bias=False
        ),
        nn.Conv2d(in_channels, out_channels, kernel_size=1),
    )
