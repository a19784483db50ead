"""Fit how the logits of a model are scaled, and measure how reliable probabilities are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from dermseg.calibration.held_out import HeldOut
from dermseg.calibration.out_of_fold import LARGEST_LOGIT, to_logits
from dermseg.evaluation.image_score import BORDER_WIDTH
from dermseg.metrics import ProbabilityCounts, near_boundary, to_levels
from dermseg.package import Reliability
from dermseg.prediction import Prediction
from dermseg.types import BoolMask, FloatArray

__all__ = ["LogitCounts", "ReliabilityCounts", "fit_scaling"]

_PER_UNIT: Final = 32
_NUM_BINS: Final = 2 * LARGEST_LOGIT * _PER_UNIT + 1
_LOGITS: Final = np.linspace(-LARGEST_LOGIT, LARGEST_LOGIT, _NUM_BINS)
# Limits of the temperature and of the absolute bias: logits that need more are wrong beforehand.
_RANGE: Final = (0.2, 5.0)
_LARGEST_BIAS: Final = 4.0
_NO_PIXELS: Final = ProbabilityCounts(np.zeros(256, np.int64), np.zeros(256, np.int64))


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
            probability: Probability of lesion at the temperature 1 without bias, in [0, 1]; any
                shape.
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


class ReliabilityCounts:
    """Pixels by probability and truth: of whole images, and of those near a border."""

    def __init__(self) -> None:
        self.whole, self.near = _NO_PIXELS, _NO_PIXELS

    def add(self, prediction: Prediction, truth: BoolMask) -> None:
        """Count the pixels of one image.

        Args:
            prediction: Its probability of lesion and its mask are looked at.
            truth: (H, W) bool, in the prediction's size.
        """
        levels = to_levels(prediction.probability)
        near = near_boundary(prediction.mask, truth, distance=BORDER_WIDTH)
        self.whole += ProbabilityCounts.of(levels, truth)
        self.near += ProbabilityCounts.of(levels[near], truth[near])

    def reliability(self) -> Reliability:
        """Expected calibration errors, and the bins that they come from."""
        pixels, probability, lesion = self.whole.calibration_bins()
        return Reliability(
            error=self.whole.expected_calibration_error(),
            # Without a single border there is nothing near one.
            error_near_border=np.nan_to_num(self.near.expected_calibration_error()),
            pixels=pixels.tolist(),
            probability=probability.tolist(),
            lesion=lesion.tolist(),
        )


def fit_scaling(held_out: HeldOut) -> tuple[dict[str, float], Reliability]:
    """Fit temperature and bias.

    Returns:
        ``temperature`` and ``bias``, and the reliability before: at the temperature 1 without bias.
    """
    logits, pixels = LogitCounts(), ReliabilityCounts()
    for _, prediction, truth in held_out.predict(temperature=1.0, bias=0.0):
        logits.add(prediction.probability, truth)
        pixels.add(prediction, truth)
    temperature, bias = logits.best_scaling()
    return {"temperature": temperature, "bias": bias}, pixels.reliability()
