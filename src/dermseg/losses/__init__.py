"""Losses by name, and their weighted sum. Needs the extra ``train``."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from dermseg.errors import RecipeError
from dermseg.losses.overlap import JaccardLoss
from dermseg.recipes import LossTerm

__all__ = ["LOSSES", "JaccardLoss", "WeightedSumLoss", "create_loss"]

LOSSES: dict[str, type[nn.Module]] = {
    "bce": nn.BCEWithLogitsLoss,
    "jaccard": JaccardLoss,
}


class WeightedSumLoss(nn.Module):
    """Weighted sum of losses, also over the outputs of a deeply supervised network.

    The first output counts 1, each coarser one half of the one before; the sum is divided by
    the sum of those weights. Coarse logits are upsampled to the target's size.
    """

    def __init__(self, terms: Sequence[tuple[nn.Module, float]]) -> None:
        super().__init__()
        self.losses = nn.ModuleList(loss for loss, _ in terms)
        self.weights = [weight for _, weight in terms]

    def forward(self, outputs: Sequence[Tensor], target: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            outputs: Logits (N, classes, h, w), finest first.
            target: (N, classes, H, W) of 0 and 1.
        """
        total = target.new_zeros(())
        norm = 0.0
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


def create_loss(terms: Sequence[LossTerm]) -> WeightedSumLoss:
    """Build the weighted sum that a recipe names.

    Raises:
        RecipeError: If a name is unknown.
    """
    unknown = [term.name for term in terms if term.name not in LOSSES]
    if unknown:
        message = f"unknown loss '{unknown[0]}': expected one of {', '.join(sorted(LOSSES))}"
        raise RecipeError(message)
    return WeightedSumLoss([(LOSSES[term.name](), term.weight) for term in terms])
