"""The rule by which a probability becomes a mask, in training, calibration and prediction alike."""

from __future__ import annotations

import numpy as np

from dermseg.types import BoolMask, FloatArray

__all__ = ["threshold_probability"]


def threshold_probability(probability: FloatArray, threshold: float) -> BoolMask:
    """Set the pixels whose probability is at least a threshold.

    The threshold is compared in the precision of the probabilities.

    Args:
        probability: Float in [0, 1], of any shape.
        threshold: In (0, 1).

    Returns:
        Bool, in the same shape.

    Example:
        >>> threshold_probability(np.array([0.25, 0.5, 0.75]), 0.5).tolist()
        [False, True, True]
    """
    return np.asarray(probability >= threshold, dtype=np.bool_)
