"""The base of every loss: the activation of its logits, and its target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from dermseg.recipes import Activation

__all__ = [
    "IGNORED",
    "SOMEWHERE",
    "UNKNOWN",
    "SegmentationLoss",
    "class_labels",
    "class_probabilities",
    "known_pixels",
    "weighted_mean",
]

UNKNOWN: Final = -1.0
"""Value of a target's pixel whose class is unknown."""

SOMEWHERE: Final = -2.0
"""Value of the pixels of an image-level label: the class is in some of them."""

IGNORED: Final = -100
"""Label of a pixel of which not every class is known; what torch ignores by default."""


class SegmentationLoss(nn.Module, ABC):
    """A loss of logits against one map of 0 and 1 per class.

    Only pixels of 0 and 1 are learned from, if a loss does not say otherwise; under softmax only
    those where every class is known. A batch without any costs nothing, with a gradient of 0.

    Args:
        activation: What the logits are. ``sigmoid``: one map per class. ``softmax``: one more, the
            first, for the background.

    Attributes:
        activations: Those of the logits that it takes.

    Raises:
        ValueError: If ``activation`` is none of these.
    """

    activations: ClassVar[tuple[Activation, ...]] = ("sigmoid", "softmax")

    def __init__(self, activation: Activation = "sigmoid") -> None:
        super().__init__()
        if activation not in self.activations:
            message = (
                f"activation is '{activation}', "
                f"but this loss is for activation = '{self.activations[0]}'"
            )
            raise ValueError(message)
        self.activation = activation

    @abstractmethod
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, a scalar.

        Args:
            logits: (N, maps, H, W) float32; there are as many maps as classes, and one more under
                softmax.
            target: (N, classes, H, W) of 0 and 1, or `UNKNOWN` or `SOMEWHERE`.
        """


def class_probabilities(logits: Tensor, activation: Activation) -> Tensor:
    """Probability of each class, (N, classes, H, W) in [0, 1], without the background's.

    Args:
        logits: (N, maps, H, W).
        activation: What the logits are.
    """
    return logits.sigmoid() if activation == "sigmoid" else logits.softmax(dim=1)[:, 1:]


def class_labels(target: Tensor) -> Tensor:
    """Number of each pixel's class, (N, H, W) int64: 0 for background, then 1 for the first.

    Where masks overlap, the class that comes first in the recipe is taken. Where a class is not
    known, the label is `IGNORED`.

    Args:
        target: (N, classes, H, W) of 0 and 1, or below 0 where nothing is known.
    """
    background = torch.full_like(target[:, :1], 0.5)
    labels = torch.cat([background, target], dim=1).argmax(dim=1)
    known = known_pixels(target, "softmax")
    return labels if known is None else labels.masked_fill(~known[:, 0], IGNORED)


def known_pixels(target: Tensor, activation: Activation) -> Tensor | None:
    """Return the mask of known target pixels; None if all are known, as for lesions.

    Args:
        target: (N, classes, H, W) of 0 and 1, or below 0 where nothing is known.
        activation: Under softmax a pixel is known only if all its classes are.

    Returns:
        Bool, (N, classes, H, W) under sigmoid and (N, 1, H, W) under softmax.
    """
    if target.min() >= 0:
        return None
    known = target >= 0
    return known if activation == "sigmoid" else known.all(dim=1, keepdim=True)


def weighted_mean(costs: Tensor, weights: Tensor) -> Tensor:
    """Mean of costs by weights of the same shape, 0 or more; 0 if all weights are."""
    total = weights.sum()
    return (weights * costs).sum() / torch.where(total > 0, total, 1)
