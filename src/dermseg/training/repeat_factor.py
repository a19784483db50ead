"""Show images with rare classes more often: repeat factor sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.pairs import PairSource
from dermseg.recipes import Recipe
from dermseg.types import Sample

__all__ = ["draw_turns", "find_shown", "num_turns", "repeat_factors"]


def find_shown(recipe: Recipe, samples: Sequence[Sample], pairs: PairSource) -> NDArray[np.bool_]:
    """Find the classes that are known to be in each image.

    A class is in an image if its mask has a pixel at the network's size, or if it has no mask and
    somebody said that it is there.

    Args:
        recipe: Gives the classes and the size.
        samples: The training images.
        pairs: Reads them.

    Returns:
        (N, C) bool.
    """
    classes = recipe.classes
    shown = np.zeros((len(samples), len(classes)), np.bool_)
    for row, sample in zip(shown, samples, strict=True):
        pair = pairs(sample, recipe.preprocessing.size)
        said = [sample.presence.get(name, False) for name in classes]
        num = len(classes)
        row[:] = np.where(pair.known[:num], pair.masks[:num].any(axis=(1, 2)), said)
    return shown


def repeat_factors(shown: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
    """Compute how often each image is shown in an epoch.

    A class that a share f of the images shows has the factor max(1, sqrt(share / f)); an image has
    the greatest factor of its classes, and 1 if it shows none.

    Args:
        shown: (N, C) bool, which classes are in which images.
        share: Classes of at least this share of the images are not repeated.

    Returns:
        (N,) float64, at least 1.

    References:
        Gupta et al. (2019), LVIS, arXiv:1908.03195, section 4.2.

    Example:
        >>> shown = np.array([[True], [False], [False], [False]])
        >>> repeat_factors(shown, 1.0).tolist()
        [2.0, 1.0, 1.0, 1.0]
    """
    frequency = shown.mean(axis=0)
    present = frequency > 0
    factors = np.ones(len(frequency))
    factors[present] = np.maximum(1.0, np.sqrt(share / frequency[present]))
    return np.asarray(np.where(shown, factors, 1.0).max(axis=1, initial=1.0))


def num_turns(repeats: Sequence[float]) -> int:
    """Images that an epoch shows, the same in every epoch: about the sum of the factors."""
    whole, rest = _divide(repeats)
    return int(whole.sum()) + int(rest.sum())


def draw_turns(repeats: Sequence[float], generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw how often each image is shown in one epoch.

    Each is shown at least as often as the whole part of its factor says. The rest is a systematic
    sample in random order: every image gets at most one more, with a probability as near the
    fraction of its factor as the fixed total allows.

    Args:
        repeats: (N,) factors, at least 1.
        generator: The epoch's generator.

    Returns:
        (N,) int64 that sum to :func:`num_turns`.
    """
    turns, rest = _divide(repeats)
    num_more = int(rest.sum())
    if num_more:
        order = generator.permutation(len(rest))
        ends = np.cumsum(rest[order])
        # At least 1 apart, so that no image is met twice.
        points = (generator.random() + np.arange(num_more)) * (ends[-1] / num_more)
        met = np.minimum(np.searchsorted(ends, points, side="right"), len(rest) - 1)
        turns[order[met]] += 1
    return turns


def _divide(repeats: Sequence[float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Whole parts and fractions."""
    values = np.asarray(repeats, np.float64)
    whole = np.floor(values)
    return whole.astype(np.int64), values - whole
