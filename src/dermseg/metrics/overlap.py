"""How well two masks overlap.

All functions take a prediction and a target, (H, W) bool of the same size, and raise ValueError
where they are not. To get several scores of one image, count once with `confusion_counts` and
ask the counts.
"""

from __future__ import annotations

from dermseg.metrics.counts import JACCARD_THRESHOLD, UNDEFINED_SCORE, confusion_counts
from dermseg.types import BoolMask

__all__ = [
    "accuracy",
    "dice",
    "jaccard",
    "precision",
    "sensitivity",
    "specificity",
    "thresholded_jaccard",
]


def jaccard(prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE) -> float:
    """Jaccard index of one image: intersection over union, in [0, 1].

    Two empty masks score ``undefined``.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.

    References:
        Jaccard (1912), doi:10.1111/j.1469-8137.1912.tb05611.x.

    Example:
        >>> import numpy as np
        >>> jaccard(np.array([[True, True, False]]), np.array([[True, False, False]]))
        0.5
    """
    return confusion_counts(prediction, target).jaccard(undefined=undefined)


def thresholded_jaccard(
    prediction: BoolMask,
    target: BoolMask,
    *,
    threshold: float = JACCARD_THRESHOLD,
    undefined: float = UNDEFINED_SCORE,
) -> float:
    """Jaccard index of one image, or 0 where it is below ``threshold``.

    Range {0} or [threshold, 1]. Two empty masks score ``undefined``, by default 1 (ISIC
    convention). The default threshold is the challenge's: human experts seldom agree less.

    Raises:
        ValueError: If a mask is not bool, the sizes differ, or ``threshold`` is outside [0, 1].

    References:
        Codella et al. (2019), arXiv:1902.03368.
    """
    counts = confusion_counts(prediction, target)
    return counts.thresholded_jaccard(threshold=threshold, undefined=undefined)


def dice(prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE) -> float:
    """Dice coefficient of one image: intersection over mean area, in [0, 1].

    Also known as F1. Two empty masks score ``undefined``.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.

    References:
        Dice (1945), doi:10.2307/1932409.
    """
    return confusion_counts(prediction, target).dice(undefined=undefined)


def accuracy(
    prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE
) -> float:
    """Share of pixels that agree, in [0, 1].

    High for any small lesion, however bad the mask: do not rank by it.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.
    """
    return confusion_counts(prediction, target).accuracy(undefined=undefined)


def sensitivity(
    prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE
) -> float:
    """Share of the lesion's pixels that the prediction found (recall), in [0, 1].

    An empty target scores ``undefined``, whatever the prediction.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.
    """
    return confusion_counts(prediction, target).sensitivity(undefined=undefined)


def specificity(
    prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE
) -> float:
    """Share of the skin's pixels that the prediction left alone, in [0, 1].

    A target that covers the whole image scores ``undefined``, whatever the prediction.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.
    """
    return confusion_counts(prediction, target).specificity(undefined=undefined)


def precision(
    prediction: BoolMask, target: BoolMask, *, undefined: float = UNDEFINED_SCORE
) -> float:
    """Share of the predicted pixels that are lesion (positive predictive value), in [0, 1].

    An empty prediction scores ``undefined``, whatever the target.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.
    """
    return confusion_counts(prediction, target).precision(undefined=undefined)
