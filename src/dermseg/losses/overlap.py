"""Losses that measure overlap rather than pixels."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["JaccardLoss"]


class JaccardLoss(nn.Module):
    """1 minus the soft Jaccard index, per image and class, then averaged.

    Each image counts the same whatever its lesion's size, as in the mean over images that is
    reported; libraries commonly pool the pixels of a batch instead. One is added to
    intersection and union, so an empty target that is predicted empty costs nothing and the
    gradient stays finite.

    References:
        Rahman and Wang (2016), doi:10.1007/978-3-319-50835-1_22.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            logits: (N, classes, H, W).
            target: (N, classes, H, W) of 0 and 1.

        Returns:
            Scalar in [0, 1].
        """
        probability = logits.float().sigmoid()
        intersection = (probability * target).sum(dim=(2, 3))
        union = (probability + target).sum(dim=(2, 3)) - intersection
        return 1 - ((intersection + 1) / (union + 1)).mean()
