"""The names of scores, as people read them."""

from __future__ import annotations

from typing import Final

__all__ = ["SCORE_NAMES", "name_figure"]

SCORE_NAMES: Final = {
    "jaccard": "Jaccard index",
    "dice": "Dice coefficient",
    "thresholded_jaccard": "Thresholded Jaccard index",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "hausdorff_95": "95 % Hausdorff distance, pixels",
    "relative_hausdorff_95": "95 % Hausdorff distance, of the lesion's diameter",
    "average_symmetric_surface_distance": "Average surface distance, pixels",
    "relative_average_symmetric_surface_distance": (
        "Average surface distance, of the lesion's diameter"
    ),
    "normalized_surface_distance": "Normalised surface distance",
    "relative_normalized_surface_distance": "Normalised surface distance, relative tolerance",
    "auc": "Area under the ROC curve",
    "average_precision": "Average precision",
    "brier_score": "Brier score",
    "cross_entropy": "Cross-entropy",
    "expected_calibration_error": "Expected calibration error",
    "border_expected_calibration_error": "Expected calibration error near borders",
}
"""By the name in the tables."""

_OVER = {"mean": "mean", "pooled": "pooled", "batch_mean": "mean over batches"}


def name_figure(name: str) -> str:
    """Say what a figure of the summary is; a name that is not known is given back in words.

    Example:
        >>> name_figure("mean_jaccard"), name_figure("pooled_dice")
        ('Jaccard index, mean', 'Dice coefficient, pooled')
        >>> name_figure("mean_jaccard_globules")
        'Jaccard index, mean: globules'
    """
    over = next((key for key in _OVER if name.startswith(f"{key}_")), None)
    if over is None:
        return name.replace("_", " ")
    score = name.removeprefix(f"{over}_")
    known = max((key for key in SCORE_NAMES if score.startswith(key)), key=len, default=None)
    if known is None:
        return name.replace("_", " ")
    rest = score.removeprefix(known).strip("_").replace("_", " ")
    return f"{SCORE_NAMES[known]}, {_OVER[over]}" + (f": {rest}" if rest else "")
