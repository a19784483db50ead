"""How good the probabilities of pixels are, before any threshold.

Everything follows from two histograms with 256 bins, one for each value that an 8-bit probability
can have; so the scores are exact for probability files, and memory does not depend on the number
of pixels. Probabilities of another type are rounded to ``k / 255`` first, so that a model and the
files that it writes get the same scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dermseg.metrics.ranking import area_under_roc, average_precision
from dermseg.types import BoolMask, FloatArray

__all__ = ["NUM_CALIBRATION_BINS", "ProbabilityCounts", "to_levels"]

NUM_CALIBRATION_BINS: Final = 15
"""Bins of the expected calibration error, as in Guo et al. (2017)."""

_LEVELS: Final = np.arange(256)
# Probabilities that are stored as 0 lie between 0 and 1/510: their middle stands for them, because
# the logarithm of 0 would make one wrong pixel count for all others.
_SMALLEST: Final = 1 / 1020


def to_levels(probability: FloatArray) -> NDArray[np.uint8]:
    """Round probabilities in [0, 1] to the 256 levels of a probability file, (H, W) uint8."""
    return np.rint(probability.astype(np.float32, copy=False) * 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class ProbabilityCounts:
    """Pixels by probability and truth.

    Attributes:
        positives: Lesion pixels at each level, (256,) int64; level k is the probability k / 255.
        negatives: The same for skin.

    Example:
        >>> levels, target = np.array([[255, 51]], np.uint8), np.array([[True, False]])
        >>> counts = ProbabilityCounts.of(levels, target)
        >>> counts.auc(), round(counts.brier_score(), 3)
        (1.0, 0.02)
    """

    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]

    @classmethod
    def of(cls, levels: NDArray[np.uint8], target: BoolMask) -> ProbabilityCounts:
        """Count the pixels of one image.

        Args:
            levels: Probability of lesion times 255, any shape, uint8.
            target: The truth in the same shape, bool.

        Raises:
            ValueError: If the types or the shapes are others.
        """
        if levels.dtype != np.uint8 or target.dtype != np.bool_ or levels.shape != target.shape:
            raise ValueError(
                f"levels are {levels.dtype} {levels.shape} and the target {target.dtype} "
                f"{target.shape}; expected uint8 and bool of the same shape"
            )
        joint = np.bincount((levels + target.astype(np.uint16) * 256).ravel(), minlength=512)
        return cls(joint[256:], joint[:256])

    def __add__(self, other: ProbabilityCounts) -> ProbabilityCounts:
        return ProbabilityCounts(self.positives + other.positives, self.negatives + other.negatives)

    @property
    def num_pixels(self) -> int:
        """Number of pixels that were counted."""
        return int(self.positives.sum() + self.negatives.sum())

    def auc(self) -> float:
        """Area under the ROC curve: the chance that a lesion pixel scores above a skin pixel.

        NaN where there are only lesion or only skin pixels. See `area_under_roc`.
        """
        return float(area_under_roc(self.positives, self.negatives))

    def average_precision(self) -> float:
        """Mean precision over the recall: the sum of (R_k - R_k-1) P_k from high to low levels.

        NaN where there is no lesion pixel. See the function `average_precision`.
        """
        return float(average_precision(self.positives, self.negatives))

    def brier_score(self) -> float:
        """Mean squared difference of probability and truth, in [0, 1]; 0 is perfect.

        NaN without pixels.

        References:
            Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
        """
        probability = _LEVELS / 255
        total = self.positives @ (1 - probability) ** 2 + self.negatives @ probability**2
        return self._per_pixel(total)

    def cross_entropy(self) -> float:
        """Mean binary cross-entropy, -log of the probability of what is true, in nats.

        0 is perfect. Probabilities are kept within [1/1020, 1019/1020], the middle of what 8 bits
        store as 0 and 255. NaN without pixels.
        """
        probability = np.clip(_LEVELS / 255, _SMALLEST, 1 - _SMALLEST)
        total = self.positives @ -np.log(probability) + self.negatives @ -np.log1p(-probability)
        return self._per_pixel(total)

    def expected_calibration_error(self, *, num_bins: int = NUM_CALIBRATION_BINS) -> float:
        """Mean gap between the probability of lesion and how often it is lesion, in [0, 1].

        The pixels are put in ``num_bins`` bins of equal width by probability, (lower, upper], 0
        in the first; in each, the mean probability is compared with the share of lesion, and the
        absolute gaps are averaged with the bins' numbers of pixels as weights. 0 is perfect. NaN
        without pixels.

        References:
            Naeini et al. (2015), doi:10.1609/aaai.v29i1.9602; Guo et al. (2017),
            arXiv:1706.04599, whose bins are of the probability of the predicted class instead.
        """
        _, probability, lesion = self.calibration_bins(num_bins=num_bins)
        return self._per_pixel(np.abs(probability - lesion).sum())

    def calibration_bins(
        self, *, num_bins: int = NUM_CALIBRATION_BINS
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Sum the pixels by bins of probability, see `expected_calibration_error`.

        Returns:
            In each bin, (num_bins,): the number of pixels, the sum of their probabilities, and
            how many are lesion.
        """
        bins = np.maximum(0, -(-_LEVELS * num_bins // 255) - 1)
        counts = self.positives + self.negatives
        pixels, probability, lesion = (
            np.bincount(bins, column, minlength=num_bins).astype(np.float64)
            for column in (counts, counts * (_LEVELS / 255), self.positives)
        )
        return pixels, probability, lesion

    def _per_pixel(self, total: Any) -> float:  # noqa: ANN401 -- a scalar of numpy
        return float(total / self.num_pixels) if self.num_pixels else math.nan
