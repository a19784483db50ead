"""The formulas of the protocols, over confusion counts (..., 4) of float: TP, FP, FN, TN.

Each returns (...) values. ``empty`` is the score where the formula divides by zero; NaN there
leaves the image out of the mean.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dermseg.metrics import JACCARD_THRESHOLD

__all__ = [
    "Values",
    "accuracy",
    "batch_dice",
    "batch_jaccard",
    "class_mean_accuracy",
    "class_mean_dice",
    "class_mean_jaccard",
    "dice",
    "jaccard",
    "lesion_dice",
    "lesion_jaccard",
    "precision",
    "seed001_jaccard",
    "sensitivity",
    "specificity",
    "thresholded_jaccard",
]

Values: TypeAlias = NDArray[np.float64]

_BATCH_SMOOTHING = 1e-5


def jaccard(counts: Values, *, empty: float) -> Values:
    """TP / (TP + FP + FN)."""
    tp, fp, fn, _ = _parts(counts)
    return _ratio(tp, tp + fp + fn, empty)


def thresholded_jaccard(counts: Values, *, empty: float) -> Values:
    """Jaccard index, or 0 below 0.65."""
    value = jaccard(counts, empty=empty)
    return np.where(value < JACCARD_THRESHOLD, 0.0, value)


def dice(counts: Values, *, empty: float) -> Values:
    """2 TP / (2 TP + FP + FN)."""
    tp, fp, fn, _ = _parts(counts)
    return _ratio(2 * tp, 2 * tp + fp + fn, empty)


def accuracy(counts: Values, *, empty: float) -> Values:
    """(TP + TN) / all."""
    tp, fp, fn, tn = _parts(counts)
    return _ratio(tp + tn, tp + fp + fn + tn, empty)


def sensitivity(counts: Values, *, empty: float) -> Values:
    """TP / (TP + FN)."""
    tp, _, fn, _ = _parts(counts)
    return _ratio(tp, tp + fn, empty)


def specificity(counts: Values, *, empty: float) -> Values:
    """TN / (TN + FP)."""
    _, fp, _, tn = _parts(counts)
    return _ratio(tn, tn + fp, empty)


def precision(counts: Values, *, empty: float) -> Values:
    """TP / (TP + FP)."""
    tp, fp, _, _ = _parts(counts)
    return _ratio(tp, tp + fp, empty)


def lesion_jaccard(counts: Values) -> Values:
    """Jaccard index where the truth has lesion pixels, else NaN (MONAI's ``ignore_empty``)."""
    return np.where(_has_lesion(counts), jaccard(counts, empty=np.nan), np.nan)


def lesion_dice(counts: Values) -> Values:
    """Dice where the truth has lesion pixels, else NaN (MONAI's ``ignore_empty``)."""
    return np.where(_has_lesion(counts), dice(counts, empty=np.nan), np.nan)


def batch_jaccard(counts: Values) -> Values:
    """(TP + 1e-5) / (TP + FP + FN + 1e-5)."""
    tp, fp, fn, _ = _parts(counts)
    return np.asarray((tp + _BATCH_SMOOTHING) / (tp + fp + fn + _BATCH_SMOOTHING))


def batch_dice(counts: Values) -> Values:
    """Dice that follows from `batch_jaccard`: 2 J / (J + 1)."""
    value = batch_jaccard(counts)
    return np.asarray(2 * value / (value + 1))


def class_mean_jaccard(counts: Values) -> Values:
    """Mean of the Jaccard indices of lesion and skin; a class that is nowhere is left out."""
    return _class_mean(jaccard(counts, empty=np.nan), jaccard(_swap(counts), empty=np.nan))


def class_mean_dice(counts: Values) -> Values:
    """Mean of the Dice coefficients of lesion and skin; a class that is nowhere is left out."""
    return _class_mean(dice(counts, empty=np.nan), dice(_swap(counts), empty=np.nan))


def class_mean_accuracy(counts: Values) -> Values:
    """Mean of sensitivity and specificity; a class that is nowhere in the truth is left out."""
    return _class_mean(sensitivity(counts, empty=np.nan), specificity(counts, empty=np.nan))


def seed001_jaccard(counts: Values) -> Values:
    """TP / (TP + FP + FN + 1); NaN where both masks are empty."""
    tp, fp, fn, _ = _parts(counts)
    union = tp + fp + fn
    return np.where(union > 0, tp / (union + 1), np.nan)


def _has_lesion(counts: Values) -> NDArray[np.bool_]:
    tp, _, fn, _ = _parts(counts)
    return np.asarray(tp + fn > 0)


def _swap(counts: Values) -> Values:
    """The counts with skin as the class that is looked for."""
    return counts[..., ::-1]


def _class_mean(first: Values, second: Values) -> Values:
    return np.where(
        np.isnan(first), second, np.where(np.isnan(second), first, (first + second) / 2)
    )


def _parts(counts: Values) -> tuple[Any, Any, Any, Any]:
    return counts[..., 0], counts[..., 1], counts[..., 2], counts[..., 3]


def _ratio(numerator: Any, denominator: Any, empty: float) -> Values:  # noqa: ANN401 -- arrays
    defined = np.asarray(denominator > 0)
    return np.where(defined, numerator / np.where(defined, denominator, 1), empty)
