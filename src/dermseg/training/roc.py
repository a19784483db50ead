"""The ROC curve of very many pixels, from counts of their probabilities."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, FloatArray

__all__ = ["NUM_BINS", "RocCounts"]

NUM_BINS: Final = 256


class RocCounts:
    """Pixels by probability and truth, pooled over images; memory does not grow with them.

    Probabilities within a 256th of each other count as the same, which moves the area under the
    curve by less than 0.004.

    Attributes:
        positives: Pixels of the lesion per bin of probability, (256,) int64.
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
        self.positives = np.zeros(NUM_BINS, np.int64)
        self.negatives = np.zeros(NUM_BINS, np.int64)

    def add(self, probability: FloatArray, truth: BoolMask) -> None:
        """Count the pixels of one image.

        Args:
            probability: (H, W) in [0, 1].
            truth: (H, W).
        """
        bins = np.minimum((probability * NUM_BINS).astype(np.int64), NUM_BINS - 1)
        self.positives += np.bincount(bins[truth], minlength=NUM_BINS)
        self.negatives += np.bincount(bins[~truth], minlength=NUM_BINS)

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
        rates = self.curve()
        return float("nan") if rates is None else float(np.trapezoid(rates[1], rates[0]))
