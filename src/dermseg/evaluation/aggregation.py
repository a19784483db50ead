"""From scores of images to the figures of a test set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dermseg.evaluation.image_score import BOUNDARY_SCORES, PROBABILITY_SCORES, ImageScore
from dermseg.evaluation.intervals import Interval, bootstrap_interval

__all__ = [
    "SCORES",
    "aggregate",
    "attribute_of",
    "group_of",
    "image_of",
    "mean_of_defined",
    "measured",
]

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

# Class names as model packages allow them.
_ATTRIBUTE = re.compile(r"_attribute_([A-Za-z0-9][A-Za-z0-9_-]*)$")


def aggregate(
    scores: Sequence[ImageScore], *, groups: Mapping[str, str], seed: int
) -> dict[str, Interval]:
    """Average each score over the images, with 95 % bootstrap intervals.

    Args:
        scores: One or more images.
        groups: The group of each id, e.g. its lesion; an id that is not in it is a group of its
            own, together with the other attributes of its image. Groups are resampled as a whole.
        seed: Seed of the resampling, the same for every score.

    Returns:
        ``mean_jaccard``, ``mean_dice`` and so on for all of ``SCORES`` and whatever else was
        measured. Images without a defined score are not in its mean; a score that no image has is
        left out.

    Raises:
        ValueError: If there are no scores.
    """
    names = [group_of(score.id, groups) for score in scores]
    means = {
        f"mean_{name}": bootstrap_interval(
            [getattr(score, name) for score in scores], groups=names, seed=seed
        )
        for name in SCORES
    }
    for name in measured(scores):
        mean = mean_of_defined([score.value(name) for score in scores], groups=names, seed=seed)
        if mean is not None:
            means[f"mean_{name}"] = mean
    return means


def measured(scores: Sequence[ImageScore]) -> tuple[str, ...]:
    """Return the names of the scores beyond ``SCORES`` that some image has."""
    boundary = any(score.boundary is not None for score in scores)
    probability = any(score.probability is not None for score in scores)
    return (*(BOUNDARY_SCORES if boundary else ()), *(PROBABILITY_SCORES if probability else ()))


def mean_of_defined(
    values: Sequence[float], *, groups: Sequence[str], seed: int
) -> Interval | None:
    """Average the values that are not NaN, with its interval; None where there is none."""
    numbers = np.asarray(values, np.float64)
    defined = ~np.isnan(numbers)
    if not defined.any():
        return None
    names = [name for name, is_defined in zip(groups, defined, strict=True) if is_defined]
    return bootstrap_interval(numbers[defined], groups=names, seed=seed)


def group_of(id: str, groups: Mapping[str, str]) -> str:
    """Return the group of an image; the masks of its attributes belong together.

    Example:
        >>> group_of("ISIC_0000001_attribute_globules", {"ISIC_0000001": "lesion 7"})
        'lesion 7'
    """
    image = image_of(id)
    return groups.get(id, groups.get(image, image))


def image_of(id: str) -> str:
    """Return the image that a mask belongs to: its id without the attribute.

    Example:
        >>> image_of("ISIC_0000001_attribute_streaks"), image_of("ISIC_0000001")
        ('ISIC_0000001', 'ISIC_0000001')
    """
    return _ATTRIBUTE.sub("", id)


def attribute_of(id: str) -> str | None:
    """Return the dermoscopic attribute that a mask is of, if its name says so.

    Example:
        >>> attribute_of("ISIC_0000001_attribute_milia_like_cyst")
        'milia_like_cyst'
    """
    match = _ATTRIBUTE.search(id)
    return match[1] if match else None
