"""EGE-UNet: fifty thousand parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.networks.base import SegmentationNetwork

__all__ = ["EGEUNet"]

_NUM_LEVELS = 6
_NUM_GROUPS = 4
_DILATIONS = (1, 2, 5, 7)
# Side of the learned maps, which are enlarged to the features' size.
_MAP_SIDE = 8


class EGEUNet(SegmentationNetwork):
    """A U-Net of six levels whose features are multiplied by learned maps of their own axes.

    The three finest levels have plain convolutions, the others grouped multi-axis Hadamard
    products. Skip connections are bridges that join a level, the one below and the mask found so
    far under four dilations. A mask is found on each level of the decoder: deep supervision.

    Differs from the paper in what the auxiliary masks weigh: each half of the next finer one, as
    for every network here. With the default widths and one class it has 53,374 parameters, as
    published. Sizes must be multiples of 32.

    Args:
        num_classes: Maps of logits.
        widths: Channels per level, six multiples of 4, from the full resolution downwards.

    Raises:
        ValueError: If there are not six widths, or one is no multiple of 4.

    References:
        Ruan et al. (2023), arXiv:2307.08473.
    """

    size_multiple = 32

    def __init__(
        self, num_classes: int = 1, *, widths: Sequence[int] = (8, 16, 24, 32, 48, 64)
    ) -> None:
        super().__init__()
        if len(widths) != _NUM_LEVELS or any(
            width < _NUM_GROUPS or width % _NUM_GROUPS for width in widths
        ):
            message = f"widths is {list(widths)}, expected 6 multiples of {_NUM_GROUPS}"
            raise ValueError(message)
        self.encoder = nn.ModuleList(
            [_convolution(before, after) for before, after in pairwise((3, *widths[:3]))]
            + [_MultiAxisProduct(before, after) for before, after in pairwise(widths[2:])]
        )
        self.encoder_norms = nn.ModuleList(_group_norm(width) for width in widths[:-1])
        upwards = list(pairwise(widths[::-1]))
        self.decoder = nn.ModuleList(
            [_MultiAxisProduct(below, width) for below, width in upwards[:3]]
            + [_convolution(below, width) for below, width in upwards[3:]]
        )
        self.decoder_norms = nn.ModuleList(_group_norm(width) for _, width in upwards)
        self.auxiliary_heads = nn.ModuleList(
            nn.Conv2d(width, num_classes, kernel_size=1) for _, width in upwards
        )
        self.bridges = nn.ModuleList(
            _AggregationBridge(below, width, num_classes) for below, width in upwards
        )
        self.segmentation_head = nn.Conv2d(widths[0], num_classes, kernel_size=1)

    def compute_logits(self, images: Tensor) -> list[Tensor]:
        """Logits at the input's size; in training mode those of the coarser levels behind."""
        skips = []
        features = images
        for block, norm in zip(self.encoder[:-1], self.encoder_norms, strict=True):
            features = F.gelu(F.max_pool2d(norm(block(features)), 2))
            skips.append(features)
        bridged = features = F.gelu(self.encoder[-1](features))
        coarser = []
        levels = zip(
            self.decoder, self.decoder_norms, self.auxiliary_heads, self.bridges, strict=True
        )
        for number, (block, norm, head, bridge) in enumerate(levels):
            features = norm(block(features))
            if number:  # the bottom and the level above it have the same size
                features = _enlarge(features)
            features = F.gelu(features)
            mask = head(features)
            coarser.append(mask)
            bridged = bridge(bridged, skips.pop(), mask)
            features = features + bridged
        logits = [_enlarge(self.segmentation_head(features))]
        return logits + coarser[::-1] if self.training else logits


class _MultiAxisProduct(nn.Module):
    """Grouped multi-axis Hadamard product attention.

    A quarter of the channels each is multiplied by a map over height and width, over channels and
    height, and over channels and width; the last quarter is convolved.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        group = in_channels // _NUM_GROUPS
        self.norm = _ChannelNorm(in_channels)
        self.plane = nn.Parameter(torch.ones(1, group, _MAP_SIDE, _MAP_SIDE))
        self.rows = nn.Parameter(torch.ones(1, group, _MAP_SIDE))
        self.columns = nn.Parameter(torch.ones(1, group, _MAP_SIDE))
        self.mix_plane = nn.Sequential(
            _convolution(group, group, groups=group), nn.GELU(), nn.Conv2d(group, group, 1)
        )
        self.mix_rows = _mix_line(group)
        self.mix_columns = _mix_line(group)
        self.local = nn.Sequential(
            nn.Conv2d(group, group, 1), nn.GELU(), _convolution(group, group, groups=group)
        )
        self.last_norm = _ChannelNorm(in_channels)
        self.project = nn.Sequential(
            _convolution(in_channels, in_channels, groups=in_channels),
            nn.GELU(),
            nn.Conv2d(in_channels, out_channels, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        first, second, third, fourth = self.norm(features).chunk(_NUM_GROUPS, dim=1)
        plane = F.interpolate(self.plane, (height, width), mode="bilinear", align_corners=True)
        rows = F.interpolate(self.rows, height, mode="linear", align_corners=True)
        columns = F.interpolate(self.columns, width, mode="linear", align_corners=True)
        products = [
            first * self.mix_plane(plane),
            second * self.mix_rows(rows)[..., :, None],
            third * self.mix_columns(columns)[..., None, :],
            self.local(fourth),
        ]
        projected: Tensor = self.project(self.last_norm(torch.cat(products, dim=1)))
        return projected


class _AggregationBridge(nn.Module):
    """Group aggregation bridge: a level, what the bridge below gave, and the mask found so far."""

    def __init__(self, below_channels: int, channels: int, num_classes: int) -> None:
        super().__init__()
        group = 2 * channels // _NUM_GROUPS + num_classes
        self.project = nn.Conv2d(below_channels, channels, 1)
        self.branches = nn.ModuleList(
            nn.Sequential(
                _ChannelNorm(group), _convolution(group, group, groups=group, dilation=dilation)
            )
            for dilation in _DILATIONS
        )
        self.join = nn.Sequential(
            _ChannelNorm(_NUM_GROUPS * group), nn.Conv2d(_NUM_GROUPS * group, channels, 1)
        )

    def forward(self, below: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        below = self.project(below)
        below = F.interpolate(below, features.shape[-2:], mode="bilinear", align_corners=True)
        groups = zip(
            self.branches,
            below.chunk(_NUM_GROUPS, dim=1),
            features.chunk(_NUM_GROUPS, dim=1),
            strict=True,
        )
        views = [branch(torch.cat([one, other, mask], dim=1)) for branch, one, other in groups]
        joined: Tensor = self.join(torch.cat(views, dim=1))
        return joined


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel alone."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(_NUM_GROUPS, channels)


def _convolution(
    in_channels: int, out_channels: int, *, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size."""
    return nn.Conv2d(
        in_channels, out_channels, 3, padding=dilation, dilation=dilation, groups=groups
    )


def _mix_line(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, channels, 3, padding=1, groups=channels),
        nn.GELU(),
        nn.Conv1d(channels, channels, 1),
    )


def _enlarge(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
