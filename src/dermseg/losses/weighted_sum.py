"""The weighted sum of losses, over all outputs of a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["WeightedSumLoss"]


class WeightedSumLoss(nn.Module):
    """Weighted sum of losses, also over the outputs of a deeply supervised network.

    The first output counts 1, each coarser one half of the one before; the sum is divided by
    the sum of those weights. Coarse logits are upsampled to the target's size. All of it is
    computed in float32, also under autocast.
    """

    def __init__(self, terms: Sequence[tuple[nn.Module, float]]) -> None:
        super().__init__()
        self.losses = nn.ModuleList(loss for loss, _ in terms)
        self.weights = [weight for _, weight in terms]

    def forward(self, outputs: Sequence[Tensor], target: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            outputs: Logits (N, maps, h, w), finest first.
            target: (N, classes, H, W) of 0 and 1, or below 0, see `SegmentationLoss`.
        """
        total = target.new_zeros(())
        norm = 0.0
        with torch.autocast(target.device.type, enabled=False):
            for level, logits in enumerate(outputs):
                share = 0.5**level
                total = total + share * self._at_full_size(logits, target)
                norm += share
        return total / norm

    def _at_full_size(self, logits: Tensor, target: Tensor) -> Tensor:
        logits = logits.float()
        if logits.shape[-2:] != target.shape[-2:]:
            size = (target.shape[-2], target.shape[-1])
            logits = F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
        total = target.new_zeros(())
        for loss, weight in zip(self.losses, self.weights, strict=True):
            total = total + weight * loss(logits, target)
        return total
