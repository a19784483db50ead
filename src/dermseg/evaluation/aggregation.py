"""From scores of images to the figures of a test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dermseg.evaluation.intervals import Interval, bootstrap_interval
from dermseg.evaluation.scoring import ImageScore

__all__ = ["SCORES", "aggregate"]

SCORES: Final = (
    "jaccard",
    "dice",
    "thresholded_jaccard",
    "accuracy",
    "sensitivity",
    "specificity",
    "precision",
)
"""The scores that every image gets."""


def aggregate(
    scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> dict[str, Interval]:
    """Average each score over the images, with 95 % bootstrap intervals.

    Args:
        scores: One or more images.
        groups: The group of each id, e.g. its lesion; an id that is not in it is a group of its
            own. Groups are resampled as a whole.
        seed: Seed of the resampling, the same for every score.

    Returns:
        ``mean_jaccard``, ``mean_dice`` and so on for all of ``SCORES``.

    Raises:
        ValueError: If there are no scores.
    """
    names = [groups.get(score.id, score.id) for score in scores]
    return {
        f"mean_{name}": bootstrap_interval(
            [getattr(score, name) for score in scores], groups=names, seed=seed
        )
        for name in SCORES
    }
