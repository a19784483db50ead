"""How well scores rank what has something above what has not, before any threshold.

Everything follows from how many there are of both kinds at each score, so one definition serves
pixels, which have 256 levels, and images, each with a score of its own, also where they are counted
several times or in part, as in a bootstrap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dermseg.types import FloatArray

__all__ = ["THRESHOLDS", "RocCounts", "area_under_roc", "average_precision", "middle_of_best"]

_NUM_BINS: Final = 256

THRESHOLDS: Final = np.arange(1, _NUM_BINS) / _NUM_BINS
"""The thresholds of `RocCounts`; each parts two bins."""


def area_under_roc(positives: ArrayLike, negatives: ArrayLike) -> NDArray[np.float64]:
    """Area under the ROC curve: the chance that a positive scores above a negative.

    Equal scores count half (trapezoidal rule). In [0, 1], 0.5 for guesses.

    Args:
        positives: How many positives there are at each score, from the lowest score to the
            highest, (..., K); numbers or weights.
        negatives: The same for negatives.

    Returns:
        (...) float64; NaN where there are only positives or only negatives.

    References:
        Fawcett (2006), doi:10.1016/j.patrec.2005.10.010.

    Example:
        >>> float(area_under_roc([0, 1, 1], [1, 1, 0]))
        0.875
    """
    # Float: the product of two counts of pixels may not fit 64 bits.
    positives = np.asarray(positives, np.float64)
    negatives = np.asarray(negatives, np.float64)
    below = np.cumsum(negatives, axis=-1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=-1)
    return _ratio(wins, positives.sum(axis=-1) * negatives.sum(axis=-1))


def average_precision(positives: ArrayLike, negatives: ArrayLike) -> NDArray[np.float64]:
    """Mean precision over the recall: the sum of (R_k - R_k-1) P_k from high scores to low ones.

    Not interpolated. In [0, 1]; guesses score the share of positives.

    Args:
        positives: As for `area_under_roc`.
        negatives: The same.

    Returns:
        (...) float64; NaN where there is no positive.

    References:
        Manning et al. (2008), Introduction to Information Retrieval, chapter 8; the sum as in
        scikit-learn's ``average_precision_score``.

    Example:
        >>> round(float(average_precision([0, 1, 1], [1, 1, 0])), 4)
        0.8333
    """
    positives = np.asarray(positives, np.float64)[..., ::-1]
    called = np.cumsum(np.asarray(negatives, np.float64)[..., ::-1] + positives, axis=-1)
    found = np.cumsum(positives, axis=-1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _ratio((positives * precision).sum(axis=-1), found[..., -1])


class RocCounts:
    """Pixels by probability and truth, pooled over images; memory does not grow with them.

    Probabilities within a 256th of each other count as the same, which moves the area under the
    curve by less than 0.004.

    Attributes:
        positives: Pixels of the class per bin of probability, (256,) float64.
        negatives: All other pixels, likewise.

    References:
        Fawcett (2006), doi:10.1016/j.patrec.2005.10.010.

    Example:
        >>> counts = RocCounts()
        >>> counts.add(np.array([[0.9, 0.6], [0.6, 0.1]]), np.array([[True, True], [False, False]]))
        >>> counts.area()
        0.875
    """

    def __init__(self) -> None:
        self.positives = np.zeros(_NUM_BINS)
        self.negatives = np.zeros(_NUM_BINS)

    def add(
        self, probability: FloatArray, truth: NDArray[np.bool_], *, weight: float = 1.0
    ) -> None:
        """Count the pixels of one image, or some of them.

        Args:
            probability: In [0, 1], any shape.
            truth: In the same shape.
            weight: What each pixel counts.
        """
        bins = np.minimum(probability * _NUM_BINS, _NUM_BINS - 1).astype(np.uint16)
        bins += truth * np.uint16(_NUM_BINS)
        negatives, positives = np.bincount(bins.ravel(), minlength=2 * _NUM_BINS).reshape(2, -1)
        self.positives += weight * positives
        self.negatives += weight * negatives

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """False and true positive rate from the highest threshold to the lowest, (257,) each.

        Both rise from 0 to 1. None where all pixels are lesion, or none is.
        """
        if not (self.positives.any() and self.negatives.any()):
            return None
        rates = []
        for counts in (self.negatives, self.positives):
            reached = np.concatenate([[0], np.cumsum(counts[::-1])])
            rates.append(reached / reached[-1])
        return rates[0], rates[1]

    def area(self) -> float:
        """Area under the curve, in [0, 1] and 0.5 for guesses; NaN where there is no curve."""
        return float(area_under_roc(self.positives, self.negatives))

    def best_threshold(self) -> tuple[float, float]:
        """The threshold with the highest Jaccard index of all pixels, and that index.

        The index is exact: of the thresholds 1/256, 2/256 to 255/256, each parts two bins. Of
        several that are best, one in the middle is taken. NaN for both where no pixel is of the
        class.
        """
        total = self.positives.sum()
        if not total:
            return float("nan"), float("nan")
        found, wrong = self.reached()
        jaccard = found / (total + wrong)
        best = middle_of_best(jaccard)
        return float(THRESHOLDS[best]), float(jaccard[best])

    def reached(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels at or above each of `THRESHOLDS`: those of the class, and all others, (255,)."""
        found = np.cumsum(self.positives[::-1])[-2::-1]
        return found, np.cumsum(self.negatives[::-1])[-2::-1]


def middle_of_best(values: NDArray[np.float64]) -> int:
    """The place of the highest value; of several that are equal, one in the middle."""
    best = np.flatnonzero(values == values.max())
    return int(best[len(best) // 2])


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    undefined = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)
    return undefined
