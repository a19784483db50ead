"""The ROC curve of very many pixels, and their best threshold, from counts of probabilities."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.metrics import area_under_roc
from dermseg.types import FloatArray

__all__ = ["NUM_BINS", "RocCounts"]

NUM_BINS: Final = 256


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
        self.positives = np.zeros(NUM_BINS)
        self.negatives = np.zeros(NUM_BINS)

    def add(
        self, probability: FloatArray, truth: NDArray[np.bool_], *, weight: float = 1.0
    ) -> None:
        """Count the pixels of one image, or some of them.

        Args:
            probability: In [0, 1], any shape.
            truth: In the same shape.
            weight: What each pixel counts.
        """
        bins = np.minimum(probability * NUM_BINS, NUM_BINS - 1).astype(np.uint16)
        bins += truth * np.uint16(NUM_BINS)
        negatives, positives = np.bincount(bins.ravel(), minlength=2 * NUM_BINS).reshape(2, -1)
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
        found = np.cumsum(self.positives[::-1])[-2::-1]
        wrong = np.cumsum(self.negatives[::-1])[-2::-1]
        jaccard = found / (total + wrong)
        best = np.flatnonzero(jaccard == jaccard.max())
        middle = int(best[len(best) // 2])
        return (middle + 1) / NUM_BINS, float(jaccard[middle])
