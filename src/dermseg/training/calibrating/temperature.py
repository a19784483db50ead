"""Fit the temperature of a model, from counts of logits."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, FloatArray

__all__ = ["LogitCounts"]

_FARTHEST: Final = 16.0
_PER_UNIT: Final = 32
_NUM_BINS: Final = 2 * round(_FARTHEST) * _PER_UNIT + 1
_LOGITS: Final = np.linspace(-_FARTHEST, _FARTHEST, _NUM_BINS)
# Of the temperature: a model that would need more or less is not calibrated but wrong.
_RANGE: Final = (0.2, 5.0)
_STEPS: Final = 60
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


class LogitCounts:
    """Pixels by logit and truth, rounded to a 32nd; memory does not grow with the images.

    Attributes:
        positives: Lesion pixels at each logit from -16 to 16.
        negatives: The same for skin.
    """

    def __init__(self) -> None:
        self.positives: NDArray[np.int64] = np.zeros(_NUM_BINS, np.int64)
        self.negatives: NDArray[np.int64] = np.zeros(_NUM_BINS, np.int64)

    def add(self, probability: FloatArray, truth: BoolMask) -> None:
        """Count the pixels of one image.

        Args:
            probability: Of lesion, at the temperature 1, in [0, 1], any shape.
            truth: In the same shape.
        """
        kept = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
        logits = np.clip(np.log(kept) - np.log1p(-kept), -_FARTHEST, _FARTHEST)
        bins = np.rint((logits + _FARTHEST) * _PER_UNIT).astype(np.int64)
        self.positives += np.bincount(bins[truth], minlength=_NUM_BINS)
        self.negatives += np.bincount(bins[~truth], minlength=_NUM_BINS)

    def cross_entropy(self, temperature: float) -> float:
        """Mean binary cross-entropy of the pixels in nats, if logits are divided by this."""
        logits = _LOGITS / temperature
        total = self.positives @ np.logaddexp(0, -logits) + self.negatives @ np.logaddexp(0, logits)
        return float(total / max(1, self.positives.sum() + self.negatives.sum()))

    def best_temperature(self) -> float:
        """The temperature of the lowest cross-entropy, between 0.2 and 5.

        Found by golden-section search over its logarithm: the cross-entropy has a single minimum.

        References:
            Guo et al. (2017), arXiv:1706.04599.
        """
        low, high = map(math.log, _RANGE)
        for _ in range(_STEPS):
            first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
            if self.cross_entropy(math.exp(first)) < self.cross_entropy(math.exp(second)):
                high = second
            else:
                low = first
        return round(math.exp((low + high) / 2), 4)
