"""The score on the selection part that chooses the checkpoint, and those beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.class_masks import is_lesion_only
from dermseg.errors import DatasetError
from dermseg.metrics import RocCounts
from dermseg.types import FloatArray

__all__ = ["PooledScores", "monitored_score", "selection_scores"]

_POOLED = "selection_pooled_jaccard"


def monitored_score(classes: Sequence[str]) -> str:
    """Name of the score whose highest value chooses the checkpoint."""
    return selection_scores(classes)[0]


def selection_scores(classes: Sequence[str]) -> tuple[str, ...]:
    """Names of the scores on the selection part, that which chooses the checkpoint first."""
    if is_lesion_only(classes):
        return ("selection_mean_jaccard", "selection_mean_dice", "selection_mean_accuracy")
    return (_POOLED, *(f"selection_jaccard_{name}" for name in classes))


class PooledScores:
    """Best pooled Jaccard index of each class at any threshold, and their mean.

    At any threshold, because the thresholds are fitted after training, on the same images.

    Args:
        classes: Their names.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.counts = {name: RocCounts() for name in classes}

    def add(self, probabilities: FloatArray, target: NDArray[np.float32]) -> None:
        """Count the pixels of a batch whose class is known.

        Args:
            probabilities: (N, classes, H, W) in [0, 1].
            target: (N, classes, H, W) of 0 and 1, or below 0 where nothing is known.
        """
        for index, counts in enumerate(self.counts.values()):
            known = target[:, index] >= 0
            counts.add(probabilities[:, index][known], target[:, index][known] > 0.5)

    def values(self) -> dict[str, float]:
        """The scores by the names of `selection_scores`.

        A class that is in no mask has NaN, and is left out of the mean.

        Raises:
            DatasetError: If no class is in any mask.
        """
        best = {name: counts.best_threshold()[1] for name, counts in self.counts.items()}
        defined = [value for value in best.values() if not np.isnan(value)]
        if not defined:
            message = (
                f"none of {', '.join(best)} is in a mask of the selection part, so no checkpoint "
                "can be chosen: choose other parts by data.seed or --split, or a larger "
                "data.selection_fraction"
            )
            raise DatasetError(message)
        by_class = {f"selection_jaccard_{name}": value for name, value in best.items()}
        return {_POOLED: float(np.mean(defined))} | by_class
