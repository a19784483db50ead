"""Measures of one mask against its truth, by the names of the literature."""

from __future__ import annotations

from dermseg.metrics.counts import UNDEFINED_SCORE, ConfusionCounts, confusion_counts
from dermseg.metrics.overlap import (
    accuracy,
    dice,
    jaccard,
    precision,
    sensitivity,
    specificity,
    thresholded_jaccard,
)

__all__ = [
    "UNDEFINED_SCORE",
    "ConfusionCounts",
    "accuracy",
    "confusion_counts",
    "dice",
    "jaccard",
    "precision",
    "sensitivity",
    "specificity",
    "thresholded_jaccard",
]
