"""The table of scores: one row each, which tables, pages and sentences read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

__all__ = [
    "BOUNDARY_SCORES",
    "OVERLAP_SCORES",
    "PROBABILITY_SCORES",
    "SCORES",
    "Score",
    "name_figure",
]


class Score(NamedTuple):
    """The name of a score, and how to read it.

    Attributes:
        title: For people.
        of: What it is computed from: the masks' ``overlap``, their ``boundary`` or the
            ``probability`` of each pixel.
        better: Whether ``higher`` or ``lower`` values are better.
        unit: Empty for plain numbers, most of them in [0, 1].
        short: For the heads of narrow columns; empty where there is no common short name.
    """

    title: str
    of: Literal["overlap", "boundary", "probability"]
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    short: str = ""

    @property
    def label(self) -> str:
        """The title with the unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


_DIAMETERS: Final = "of the lesion's diameter"

SCORES: Final[Mapping[str, Score]] = {
    "jaccard": Score("Jaccard index", "overlap", short="Jaccard"),
    "dice": Score("Dice coefficient", "overlap", short="Dice"),
    "thresholded_jaccard": Score("Thresholded Jaccard index", "overlap"),
    "accuracy": Score("Accuracy", "overlap"),
    "sensitivity": Score("Sensitivity", "overlap"),
    "specificity": Score("Specificity", "overlap"),
    "precision": Score("Precision", "overlap"),
    "hausdorff_95": Score("95 % Hausdorff distance", "boundary", "lower", "pixels"),
    "average_symmetric_surface_distance": Score(
        "Average surface distance", "boundary", "lower", "pixels"
    ),
    "normalized_surface_distance": Score("Normalised surface distance", "boundary"),
    "relative_hausdorff_95": Score("95 % Hausdorff distance", "boundary", "lower", _DIAMETERS),
    "relative_average_symmetric_surface_distance": Score(
        "Average surface distance", "boundary", "lower", _DIAMETERS
    ),
    "relative_normalized_surface_distance": Score(
        "Normalised surface distance, relative tolerance", "boundary"
    ),
    "auc": Score("Area under the ROC curve", "probability", short="AUC"),
    "average_precision": Score("Average precision", "probability", short="AP"),
    "brier_score": Score("Brier score", "probability", "lower"),
    "cross_entropy": Score("Cross-entropy", "probability", "lower"),
    "expected_calibration_error": Score("Expected calibration error", "probability", "lower"),
    "border_expected_calibration_error": Score(
        "Expected calibration error near borders", "probability", "lower"
    ),
}
"""Every score of an image by its name in the tables, in the order of their columns."""

OVERLAP_SCORES: Final = tuple(name for name, row in SCORES.items() if row.of == "overlap")
"""The scores that every image has."""

BOUNDARY_SCORES: Final = tuple(name for name, row in SCORES.items() if row.of == "boundary")
"""The scores of images whose border distances were measured."""

PROBABILITY_SCORES: Final = tuple(name for name, row in SCORES.items() if row.of == "probability")
"""The scores of images with probabilities."""

_OVER: Final = {"mean": "mean", "pooled": "pooled", "batch_mean": "mean over batches"}


def name_figure(name: str) -> str:
    """Put the name of a figure of the summary into words.

    The score is called by its label; a name without a known score is given back as words.

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
    known = max((key for key in SCORES if score.startswith(key)), key=len, default=None)
    if known is None:
        return name.replace("_", " ")
    rest = score.removeprefix(known).strip("_").replace("_", " ")
    return f"{SCORES[known].label}, {_OVER[over]}" + (f": {rest}" if rest else "")
