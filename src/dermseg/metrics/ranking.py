"""How well scores rank what has something above what has not, before any threshold.

Everything follows from how many there are of both kinds at each score, so one definition serves
pixels, which have 256 levels, and images, each with a score of its own, also where they are counted
several times or in part, as in a bootstrap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["area_under_roc", "average_precision"]


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


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    undefined = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)
    return undefined
