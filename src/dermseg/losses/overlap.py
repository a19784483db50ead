"""Losses that measure overlap rather than pixels."""

from __future__ import annotations

import segmentation_models_pytorch.losses as smp
from torch import Tensor

from dermseg.losses.base import SegmentationLoss, class_labels, class_probabilities
from dermseg.recipes import Head

__all__ = ["DiceLoss", "JaccardLoss", "LovaszLoss", "TverskyLoss"]


class TverskyLoss(SegmentationLoss):
    """1 minus the soft Tversky index, per image and class, then averaged.

    The index is TP / (TP + alpha FP + beta FN) with probabilities for predictions. Each image
    counts the same whatever its lesion's size, as in the mean over images that is reported;
    libraries commonly pool the pixels of a batch instead, and drop classes that are empty in it.
    One is added above and below the line, so an empty target that is predicted empty costs
    nothing and the gradient stays finite. Under softmax the background is not judged.

    Args:
        head: ``sigmoid`` or ``softmax``.
        alpha: Weight of what is wrongly in the mask.
        beta: Weight of what the mask misses.

    Raises:
        ValueError: If a weight is below 0, or both are 0.

    References:
        Salehi et al. (2017), arXiv:1706.05721.
    """

    def __init__(self, head: Head = "sigmoid", *, alpha: float = 0.3, beta: float = 0.7) -> None:
        super().__init__(head)
        if not (alpha >= 0 and beta >= 0 and alpha + beta > 0):
            message = f"alpha is {alpha} and beta {beta}, expected 0 or more and not both 0"
            raise ValueError(message)
        self.alpha = alpha
        self.beta = beta

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch, in [0, 1]."""
        probability = class_probabilities(logits.float(), self.head)
        common = (probability * target).sum(dim=(2, 3))
        excess = probability.sum(dim=(2, 3)) - common
        missed = target.sum(dim=(2, 3)) - common
        index = (common + 1) / (common + self.alpha * excess + self.beta * missed + 1)
        return 1 - index.mean()


class DiceLoss(TverskyLoss):
    """1 minus the soft Dice index, per image and class: Tversky with both weights 0.5.

    References:
        Milletari et al. (2016), arXiv:1606.04797.
    """

    def __init__(self, head: Head = "sigmoid") -> None:
        super().__init__(head, alpha=0.5, beta=0.5)


class JaccardLoss(TverskyLoss):
    """1 minus the soft Jaccard index, per image and class: Tversky with both weights 1.

    References:
        Rahman and Wang (2016), doi:10.1007/978-3-319-50835-1_22.
    """

    def __init__(self, head: Head = "sigmoid") -> None:
        super().__init__(head, alpha=1.0, beta=1.0)


class LovaszLoss(SegmentationLoss):
    """The Lovasz extension of 1 minus the Jaccard index, per image, then averaged.

    Under sigmoid the hinge of each class; under softmax the mean over background and those
    classes that an image has.

    References:
        Berman et al. (2018), arXiv:1705.08790.
    """

    def __init__(self, head: Head = "sigmoid") -> None:
        super().__init__(head)
        mode = "binary" if head == "sigmoid" else "multiclass"
        self.loss = smp.LovaszLoss(mode, per_image=True)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch; at least 0, under softmax at most 1."""
        if self.head == "softmax":
            loss: Tensor = self.loss(logits, class_labels(target))
        else:
            # Each class of each image is a mask by itself.
            loss = self.loss(logits.flatten(0, 1), target.flatten(0, 1))
        return loss
