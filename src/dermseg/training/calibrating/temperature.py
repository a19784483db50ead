"""Fit the temperature of a model, from counts of logits."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from dermseg.training.out_of_fold import LARGEST_LOGIT, to_logits
from dermseg.types import BoolMask, FloatArray

__all__ = ["LogitCounts"]

_PER_UNIT: Final = 32
_NUM_BINS: Final = 2 * LARGEST_LOGIT * _PER_UNIT + 1
_LOGITS: Final = np.linspace(-LARGEST_LOGIT, LARGEST_LOGIT, _NUM_BINS)
# Of the temperature: a model that would need more or less is not calibrated but wrong.
_RANGE: Final = (0.2, 5.0)


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
        bins = np.rint((to_logits(probability) + LARGEST_LOGIT) * _PER_UNIT).astype(np.int64)
        self.positives += np.bincount(bins[truth], minlength=_NUM_BINS)
        self.negatives += np.bincount(bins[~truth], minlength=_NUM_BINS)

    def cross_entropy(self, temperature: float) -> float:
        """Mean binary cross-entropy of the pixels in nats, if logits are divided by this."""
        logits = _LOGITS / temperature
        total = self.positives @ np.logaddexp(0, -logits) + self.negatives @ np.logaddexp(0, logits)
        return float(total / max(1, self.positives.sum() + self.negatives.sum()))

    def best_temperature(self) -> float:
        """The temperature of the lowest cross-entropy, between 0.2 and 5.

        Sought over its logarithm, in which the cross-entropy has a single minimum.

        References:
            Guo et al. (2017), arXiv:1706.04599.
        """
        found = minimize_scalar(
            lambda logarithm: self.cross_entropy(math.exp(logarithm)),
            bounds=tuple(map(math.log, _RANGE)),
            method="bounded",
            options={"xatol": 1e-6},
        )
        return round(math.exp(found.x), 4)
