"""A loss for images of which only is known whether a class is in them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.losses.base import SOMEWHERE, UNKNOWN, SegmentationLoss, weighted_mean
from dermseg.recipes import Activation

__all__ = ["PresenceLoss"]


class PresenceLoss(SegmentationLoss):
    """Binary cross-entropy of whether a class is in an image, a mean over images and classes.

    The logits of an image are pooled to one, the mean of its highest ones: a maximum whose
    gradient reaches more than one pixel. A class is present where a pixel of it is known or the
    target says `SOMEWHERE`, and absent where all known pixels are 0. Pixels that are `UNKNOWN`
    are not pooled; a class of which nothing else is known is left out. It is meant to stand
    beside a loss of pixels, which learns from the masks that there are.

    Only under sigmoid: under softmax a pixel's logits say nothing without those of the other
    classes.

    Args:
        activation: ``sigmoid``.
        share: Share of the pixels that are pooled, the highest logits first, at least one pixel.

    Raises:
        ValueError: If ``share`` is not above 0 and at most 1.

    References:
        Pinheiro and Collobert (2015), arXiv:1411.6228, who pool by another smooth maximum.
    """

    activations = ("sigmoid",)

    def __init__(self, activation: Activation = "sigmoid", *, share: float = 0.02) -> None:
        super().__init__(activation)
        if not 0 < share <= 1:
            message = f"share is {share}, expected a number above 0 and at most 1"
            raise ValueError(message)
        self.share = share

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0."""
        said = (target != UNKNOWN).flatten(2)
        flat = target.flatten(2)
        is_present = ((flat > 0) | (flat == SOMEWHERE)).any(dim=2)
        num_said = said.sum(dim=2)
        highest = max(1, math.ceil(flat.shape[2] * self.share))
        num_pooled = (num_said * self.share).ceil().long().clamp(1, highest)
        top = logits.flatten(2).masked_fill(~said, -torch.inf).topk(highest, dim=2).values
        is_pooled = torch.arange(highest, device=top.device) < num_pooled[..., None]
        pooled = torch.where(is_pooled & ~top.isneginf(), top, 0).sum(dim=2) / num_pooled
        costs = F.binary_cross_entropy_with_logits(
            pooled, is_present.to(pooled.dtype), reduction="none"
        )
        return weighted_mean(costs, (num_said > 0).to(costs.dtype))
