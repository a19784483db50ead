"""Measures of one mask against its truth, by the names of the literature."""

from __future__ import annotations

from dermseg.metrics.boundary import (
    BoundaryMeasures,
    average_symmetric_surface_distance,
    boundary_measures,
    hausdorff_95,
    near_boundary,
    normalized_surface_distance,
)
from dermseg.metrics.counts import (
    JACCARD_THRESHOLD,
    UNDEFINED_SCORE,
    ConfusionCounts,
    confusion_counts,
)
from dermseg.metrics.overlap import (
    accuracy,
    dice,
    jaccard,
    precision,
    sensitivity,
    specificity,
    thresholded_jaccard,
)
from dermseg.metrics.probability import ProbabilityCounts, to_levels
from dermseg.metrics.ranking import RocCounts, area_under_roc, average_precision

__all__ = [
    "JACCARD_THRESHOLD",
    "UNDEFINED_SCORE",
    "BoundaryMeasures",
    "ConfusionCounts",
    "ProbabilityCounts",
    "RocCounts",
    "accuracy",
    "area_under_roc",
    "average_precision",
    "average_symmetric_surface_distance",
    "boundary_measures",
    "confusion_counts",
    "dice",
    "hausdorff_95",
    "jaccard",
    "near_boundary",
    "normalized_surface_distance",
    "precision",
    "sensitivity",
    "specificity",
    "thresholded_jaccard",
    "to_levels",
]
