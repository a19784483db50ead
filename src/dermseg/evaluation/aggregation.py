"""From scores of images to the figures of a test set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from dermseg.evaluation.image_score import ImageScore
from dermseg.evaluation.intervals import Interval, bootstrap_means
from dermseg.evaluation.score_table import (
    BOUNDARY_SCORES,
    OVERLAP_SCORES,
    PROBABILITY_SCORES,
)

__all__ = [
    "aggregate",
    "attribute_of",
    "group_of",
    "image_of",
    "measured",
]

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
        ``mean_jaccard``, ``mean_dice`` and so on for all of ``OVERLAP_SCORES`` and whatever else
        was measured. Images without a defined score are not in its mean; a score that no image has is
        left out.

    Raises:
        ValueError: If there are no scores.
    """
    names = (*OVERLAP_SCORES, *measured(scores))
    values = np.array([[score.value(name) for score in scores] for name in names])
    of_images = [group_of(score.id, groups) for score in scores]
    means = bootstrap_means(values, groups=of_images, seed=seed)
    return {
        f"mean_{name}": mean for name, mean in zip(names, means, strict=True) if mean is not None
    }


def measured(scores: Sequence[ImageScore]) -> tuple[str, ...]:
    """Return the names of the scores beyond ``OVERLAP_SCORES`` that some image has."""
    boundary = any(score.boundary is not None for score in scores)
    probability = any(score.probability is not None for score in scores)
    return (*(BOUNDARY_SCORES if boundary else ()), *(PROBABILITY_SCORES if probability else ()))


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
