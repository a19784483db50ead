"""Losses that measure overlap rather than pixels."""

from __future__ import annotations

import segmentation_models_pytorch.losses as smp
import torch
from torch import Tensor

from dermseg.losses.base import (
    IGNORED,
    SegmentationLoss,
    class_labels,
    class_probabilities,
    known_pixels,
    weighted_mean,
)
from dermseg.recipes import Activation

__all__ = ["DiceLoss", "JaccardLoss", "LovaszLoss", "TverskyLoss"]


class TverskyLoss(SegmentationLoss):
    """1 minus the soft Tversky index, per image and class, then averaged.

    The index is TP / (TP + alpha FP + beta FN) with probabilities for predictions. Each image
    counts the same whatever its lesion's size, as in the mean over images that is reported;
    libraries commonly pool the pixels of a batch instead, which ``pooled`` does. One is added
    above and below the line, so an empty target that is predicted empty costs nothing and the
    gradient stays finite. Under softmax the background is not judged. A class of which no pixel
    is known, in the image or in the batch, is left out of the average.

    Args:
        activation: ``sigmoid`` or ``softmax``.
        alpha: Weight of what is wrongly in the mask.
        beta: Weight of what the mask misses.
        pooled: Take one index per class over the pixels of the whole batch. For classes that
            most images do not have: there the loss of one image says little but "nothing here".
            With several processes, each pools its own share of the batch.

    Raises:
        ValueError: If a weight is below 0, both are 0, or ``pooled`` is not true or false.

    References:
        Salehi et al. (2017), arXiv:1706.05721.
    """

    def __init__(
        self,
        activation: Activation = "sigmoid",
        *,
        alpha: float = 0.3,
        beta: float = 0.7,
        pooled: bool = False,
    ) -> None:
        super().__init__(activation)
        if not (alpha >= 0 and beta >= 0 and alpha + beta > 0):
            message = f"alpha is {alpha} and beta {beta}, expected 0 or more and not both 0"
            raise ValueError(message)
        if not isinstance(pooled, bool):
            message = f"pooled is {pooled!r}, expected true or false"
            raise ValueError(message)
        self.alpha = alpha
        self.beta = beta
        self.pooled = pooled

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, in [0, 1]."""
        probability = class_probabilities(logits.float(), self.activation)
        over = (0, 2, 3) if self.pooled else (2, 3)
        known = known_pixels(target, self.activation)
        if known is None:
            return 1 - self._index(probability, target, over).mean()
        index = self._index(torch.where(known, probability, 0), torch.where(known, target, 0), over)
        is_judged = known.any(dim=3).any(dim=2)
        if self.pooled:
            is_judged = is_judged.any(dim=0)
        return weighted_mean(1 - index, is_judged.expand_as(index).to(index.dtype))

    def _index(self, probability: Tensor, target: Tensor, over: tuple[int, ...]) -> Tensor:
        common = (probability * target).sum(dim=over)
        excess = probability.sum(dim=over) - common
        missed = target.sum(dim=over) - common
        return (common + 1) / (common + self.alpha * excess + self.beta * missed + 1)


class DiceLoss(TverskyLoss):
    """1 minus the soft Dice index, per image and class: Tversky with both weights 0.5.

    Args:
        activation: ``sigmoid`` or ``softmax``.
        pooled: As for Tversky.

    References:
        Milletari et al. (2016), arXiv:1606.04797.
    """

    def __init__(self, activation: Activation = "sigmoid", *, pooled: bool = False) -> None:
        super().__init__(activation, alpha=0.5, beta=0.5, pooled=pooled)


class JaccardLoss(TverskyLoss):
    """1 minus the soft Jaccard index, per image and class: Tversky with both weights 1.

    Args:
        activation: ``sigmoid`` or ``softmax``.
        pooled: As for Tversky.

    References:
        Rahman and Wang (2016), doi:10.1007/978-3-319-50835-1_22.
    """

    def __init__(self, activation: Activation = "sigmoid", *, pooled: bool = False) -> None:
        super().__init__(activation, alpha=1.0, beta=1.0, pooled=pooled)


class LovaszLoss(SegmentationLoss):
    """The Lovasz extension of 1 minus the Jaccard index, per image, then averaged.

    Under sigmoid the hinge of each class; under softmax the mean over background and those
    classes that an image has. What has no known pixel is left out of the average.

    References:
        Berman et al. (2018), arXiv:1705.08790.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch; at least 0, under softmax at most 1."""
        known = known_pixels(target, self.activation)
        if self.activation == "softmax":
            truth = class_labels(target)
        else:
            # Each class of each image is a mask by itself.
            logits, truth = logits.flatten(0, 1), target.flatten(0, 1)
        ignored = None
        if known is not None:
            ignored = IGNORED
            known = known.flatten(0, 1)
            is_judged = known.flatten(1).any(dim=1)
            if not is_judged.any():
                return logits.sum() * 0
            logits = logits[is_judged]
            truth = truth.masked_fill(~known, IGNORED)[is_judged]
        mode = "binary" if self.activation == "sigmoid" else "multiclass"
        loss: Tensor = smp.LovaszLoss(mode, per_image=True, ignore_index=ignored)(logits, truth)
        return loss
