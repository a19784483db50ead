"""The confusion matrix of two masks, and the scores that follow from it.

Every score is one division. Where there is nothing to divide by, as for the Jaccard index of two
empty masks, the score is ``undefined``, by default ``UNDEFINED_SCORE``. Protocols differ in
nothing but that value: 1 in the ISIC challenges since 2018, NaN in others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dermseg.types import BoolMask

__all__ = ["JACCARD_THRESHOLD", "UNDEFINED_SCORE", "ConfusionCounts", "confusion_counts"]

UNDEFINED_SCORE: Final = 1.0
"""Score where the formula divides by zero: the masks agree that there is nothing (ISIC rule)."""

JACCARD_THRESHOLD: Final = 0.65
"""A lower Jaccard index counts as a failure, and as 0 in the thresholded one (ISIC 2018)."""


@dataclass(frozen=True)
class ConfusionCounts:
    """Numbers of pixels by prediction and truth.

    Attributes:
        tp: Lesion in both.
        fp: Lesion in the prediction only.
        fn: Lesion in the truth only.
        tn: Skin in both.

    Example:
        >>> counts = ConfusionCounts(tp=2, fp=1, fn=1, tn=12)
        >>> counts.jaccard()
        0.5
        >>> ConfusionCounts(tp=0, fp=0, fn=0, tn=16).jaccard(undefined=0.0)
        0.0
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def jaccard(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return TP / (TP + FP + FN); undefined if both masks are empty."""
        return _ratio(self.tp, self.tp + self.fp + self.fn, undefined)

    def thresholded_jaccard(
        self, *, threshold: float = JACCARD_THRESHOLD, undefined: float = UNDEFINED_SCORE
    ) -> float:
        """Return the Jaccard index, or 0 where it is below ``threshold``.

        Raises:
            ValueError: If ``threshold`` is outside [0, 1].
        """
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}; it must be in [0, 1]")
        value = self.jaccard(undefined=undefined)
        return 0.0 if value < threshold else value

    def dice(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return 2 TP / (2 TP + FP + FN); undefined if both masks are empty."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn, undefined)

    def accuracy(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return (TP + TN) / all pixels; undefined if there are no pixels."""
        return _ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn, undefined)

    def sensitivity(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return TP / (TP + FN); undefined if the truth is empty."""
        return _ratio(self.tp, self.tp + self.fn, undefined)

    def specificity(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return TN / (TN + FP); undefined if the truth is the whole image."""
        return _ratio(self.tn, self.tn + self.fp, undefined)

    def precision(self, *, undefined: float = UNDEFINED_SCORE) -> float:
        """Return TP / (TP + FP); undefined if the prediction is empty."""
        return _ratio(self.tp, self.tp + self.fp, undefined)


def confusion_counts(prediction: BoolMask, target: BoolMask) -> ConfusionCounts:
    """Count the pixels of two masks of the same size, (H, W) bool.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.

    Example:
        >>> confusion_counts(np.array([[True, True]]), np.array([[True, False]]))
        ConfusionCounts(tp=1, fp=1, fn=0, tn=0)
    """
    for name, mask in (("prediction", prediction), ("target", target)):
        if mask.dtype != np.bool_:
            raise ValueError(f"the {name} is {mask.dtype}; expected bool, for example `mask > 0`")
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} differ in size")
    tp = int(np.count_nonzero(prediction & target))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(target)) - tp
    return ConfusionCounts(tp=tp, fp=fp, fn=fn, tn=target.size - tp - fp - fn)


def _ratio(numerator: int, denominator: int, undefined: float) -> float:
    return numerator / denominator if denominator else undefined
