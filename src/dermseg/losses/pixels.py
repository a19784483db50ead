"""Losses that judge each pixel by itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from dermseg.losses.base import (
    SegmentationLoss,
    class_labels,
    known_pixels,
    weighted_mean,
)
from dermseg.recipes import Activation

__all__ = ["BCELoss", "CrossEntropyLoss", "FocalLoss"]


class BCELoss(SegmentationLoss):
    """Binary cross-entropy of each class, a mean over pixels and classes.

    Args:
        activation: ``sigmoid``.
        class_weights: Weight of a class's pixels in its own map, the background's first, which is
            that of all other pixels in every map. The mean is weighted, so only the weights'
            ratios count. None weighs all the same.
    """

    activations = ("sigmoid",)

    def __init__(
        self, activation: Activation = "sigmoid", *, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__(activation)
        self.class_weights = class_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0."""
        weights = _pixel_weights(target, self.class_weights)
        if weights is None:
            return F.binary_cross_entropy_with_logits(logits, target)
        costs = F.binary_cross_entropy_with_logits(logits, target.clamp(min=0), reduction="none")
        return weighted_mean(costs, weights)


class CrossEntropyLoss(SegmentationLoss):
    """Cross-entropy over background and classes, a mean over pixels.

    Args:
        activation: ``softmax``.
        class_weights: Weight of each pixel by its true class, the background's first. The mean is
            weighted, so only the weights' ratios count. None weighs all the same.
    """

    activations = ("softmax",)

    def __init__(
        self, activation: Activation = "softmax", *, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__(activation)
        self.class_weights = class_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0."""
        known = known_pixels(target, self.activation)
        if known is not None and not known.any():
            # torch would divide by 0.
            return logits.sum() * 0
        weights = None if self.class_weights is None else logits.new_tensor(self.class_weights)
        return F.cross_entropy(logits, class_labels(target), weight=weights)


class FocalLoss(SegmentationLoss):
    """Cross-entropy that counts less where the network is sure and right, by (1 - p)**gamma.

    ``gamma = 0`` is cross-entropy. Under sigmoid each class is judged against all else, under
    softmax against background and the other classes.

    Args:
        activation: ``sigmoid`` or ``softmax``.
        gamma: 0, or at least 1: between them the gradient is infinite at certainty.
        alpha: Under sigmoid, in (0, 1): factor on the cost of a class's pixels; all others get
            the rest to 1. The mean is not weighted by it.
        class_weights: Under sigmoid as for ``bce``, under softmax as for ``cross_entropy``.

    Raises:
        ValueError: If ``gamma`` or ``alpha`` is out of range, or ``alpha`` is given under softmax
            or beside ``class_weights``.

    References:
        Lin et al. (2017), arXiv:1708.02002.
    """

    def __init__(
        self,
        activation: Activation = "sigmoid",
        *,
        gamma: float = 2.0,
        alpha: float | None = None,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(activation)
        if gamma != 0 and not gamma >= 1:
            message = f"gamma is {gamma}, expected 0 or at least 1"
            raise ValueError(message)
        if alpha is not None and not 0 < alpha < 1:
            message = f"alpha is {alpha}, expected a number between 0 and 1"
            raise ValueError(message)
        if activation == "softmax" and alpha is not None:
            message = "alpha is for activation = 'sigmoid'; under softmax give class_weights"
            raise ValueError(message)
        if alpha is not None and class_weights is not None:
            message = "alpha and class_weights both weigh the classes: give one of them"
            raise ValueError(message)
        self.gamma = gamma
        self.alpha = alpha
        self.class_weights = class_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, at least 0; a mean weighted by the pixels' class weights."""
        if self.activation == "softmax":
            labels = class_labels(target)
            costs = self._focus(F.cross_entropy(logits, labels, reduction="none"))
            weights = _label_weights(labels, self.class_weights, logits)
        else:
            truth = target.clamp(min=0)
            entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
            costs = self._focus(entropy)
            if self.alpha is not None:
                costs = costs * (self.alpha * truth + (1 - self.alpha) * (1 - truth))
            weights = _pixel_weights(target, self.class_weights)
        return costs.mean() if weights is None else weighted_mean(costs, weights)

    def _focus(self, costs: Tensor) -> Tensor:
        return (1 - torch.exp(-costs)).pow(self.gamma) * costs


def _pixel_weights(target: Tensor, class_weights: Sequence[float] | None) -> Tensor | None:
    """How much each pixel counts in each class's map, 0 where it is unknown; None if all do."""
    known = known_pixels(target, "sigmoid")
    if class_weights is None:
        return None if known is None else known.to(target.dtype)
    background, *classes = class_weights
    own = target.new_tensor(classes).reshape(-1, 1, 1)
    weights = torch.where(target > 0, own, background)
    return weights if known is None else weights * known


def _label_weights(
    labels: Tensor, class_weights: Sequence[float] | None, logits: Tensor
) -> Tensor | None:
    """How much each pixel counts by its label, 0 where that is ignored; None if all do."""
    known = labels >= 0
    if class_weights is None:
        return None if known.all() else known.to(logits.dtype)
    return logits.new_tensor(class_weights)[labels.clamp(min=0)] * known
