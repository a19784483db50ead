"""Losses that judge each pixel by itself."""

from __future__ import annotations

from collections.abc import Sequence

import segmentation_models_pytorch.losses as smp
import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.losses.base import SegmentationLoss, class_labels
from dermseg.recipes import Head

__all__ = ["BCELoss", "CrossEntropyLoss", "FocalLoss"]


class BCELoss(SegmentationLoss):
    """Binary cross-entropy of each class, averaged over pixels and classes."""

    heads = ("sigmoid",)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0."""
        return F.binary_cross_entropy_with_logits(logits, target)


class CrossEntropyLoss(SegmentationLoss):
    """Cross-entropy over background and classes, a mean over pixels.

    Args:
        head: ``softmax``.
        class_weights: Weight of each pixel by its true class, the background's first. The mean is
            weighted, so only the weights' ratios count. None weighs all the same.
    """

    heads = ("softmax",)

    def __init__(
        self, head: Head = "softmax", *, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__(head)
        self.class_weights = class_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0."""
        weights = _as_tensor(self.class_weights, logits)
        return F.cross_entropy(logits, class_labels(target), weight=weights)


class FocalLoss(SegmentationLoss):
    """Cross-entropy that counts less where the network is sure and right, by (1 - p)**gamma.

    ``gamma = 0`` is cross-entropy. Under sigmoid each class is judged against all else, under
    softmax against background and the other classes.

    Args:
        head: ``sigmoid`` or ``softmax``.
        gamma: 0, or at least 1: between them the gradient is infinite at certainty.
        alpha: Under sigmoid, in (0, 1): weight of a class's pixels; all others get the rest to 1.
        class_weights: Under softmax, as for ``cross_entropy``.

    Raises:
        ValueError: If ``gamma`` or ``alpha`` is out of range, or meant for the other head.

    References:
        Lin et al. (2017), arXiv:1708.02002.
    """

    def __init__(
        self,
        head: Head = "sigmoid",
        *,
        gamma: float = 2.0,
        alpha: float | None = None,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(head)
        if gamma != 0 and not gamma >= 1:
            message = f"gamma is {gamma}, expected 0 or at least 1"
            raise ValueError(message)
        if alpha is not None and not 0 < alpha < 1:
            message = f"alpha is {alpha}, expected a number between 0 and 1"
            raise ValueError(message)
        if head == "sigmoid" and class_weights is not None:
            message = "class_weights are for head = 'softmax'; under sigmoid give alpha"
            raise ValueError(message)
        if head == "softmax" and alpha is not None:
            message = "alpha is for head = 'sigmoid'; under softmax give class_weights"
            raise ValueError(message)
        self.gamma = gamma
        self.class_weights = class_weights
        self.binary = smp.FocalLoss("multilabel", alpha=alpha, gamma=gamma)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0; a mean weighted by the pixels' class weights."""
        if self.head == "sigmoid":
            loss: Tensor = self.binary(logits, target)
            return loss
        labels = class_labels(target)
        costs = F.cross_entropy(logits, labels, reduction="none")
        costs = (1 - torch.exp(-costs)).pow(self.gamma) * costs
        weights = _as_tensor(self.class_weights, logits)
        if weights is None:
            return costs.mean()
        return (weights[labels] * costs).sum() / weights[labels].sum()


def _as_tensor(class_weights: Sequence[float] | None, logits: Tensor) -> Tensor | None:
    return None if class_weights is None else logits.new_tensor(class_weights)
