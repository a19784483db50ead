"""Fit how the logits of a model are scaled, from counts of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from dermseg.training.out_of_fold import LARGEST_LOGIT, to_logits
from dermseg.types import BoolMask, FloatArray

__all__ = ["LogitCounts"]

_PER_UNIT: Final = 32
_NUM_BINS: Final = 2 * LARGEST_LOGIT * _PER_UNIT + 1
_LOGITS: Final = np.linspace(-LARGEST_LOGIT, LARGEST_LOGIT, _NUM_BINS)
# Of the temperature, and of the bias to either side: what would need more is wrong beforehand.
_RANGE: Final = (0.2, 5.0)
_LARGEST_BIAS: Final = 4.0


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
            probability: Of lesion, at the temperature 1 and without bias, in [0, 1], any shape.
            truth: In the same shape.
        """
        bins = np.rint((to_logits(probability) + LARGEST_LOGIT) * _PER_UNIT).astype(np.int64)
        self.positives += np.bincount(bins[truth], minlength=_NUM_BINS)
        self.negatives += np.bincount(bins[~truth], minlength=_NUM_BINS)

    def cross_entropy(self, temperature: float, bias: float) -> float:
        """Mean binary cross-entropy of the pixels in nats, if logits are scaled like this."""
        logits = _LOGITS / temperature + bias
        total = self.positives @ np.logaddexp(0, -logits) + self.negatives @ np.logaddexp(0, logits)
        return float(total / max(1, self.positives.sum() + self.negatives.sum()))

    def best_scaling(self) -> tuple[float, float]:
        """The temperature, from 0.2 to 5, and the bias, within 4, of the lowest cross-entropy.

        Sought over the temperature's inverse, in which, with the bias, the cross-entropy is convex.

        References:
            Platt (1999), Probabilistic outputs for support vector machines; Guo et al. (2017),
            arXiv:1706.04599 (for networks).
        """
        found = minimize(
            lambda values: self.cross_entropy(1 / values[0], values[1]),
            x0=(1.0, 0.0),
            bounds=((1 / _RANGE[1], 1 / _RANGE[0]), (-_LARGEST_BIAS, _LARGEST_BIAS)),
            method="L-BFGS-B",
            options={"ftol": 1e-12},
        )
        slope, bias = found.x
        return round(1 / float(slope), 4), round(float(bias), 4)
