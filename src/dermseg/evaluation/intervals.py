"""Confidence intervals of means over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dermseg.errors import MissingExtraError

try:
    from scipy.stats import bootstrap
except ImportError as error:
    raise MissingExtraError("evaluation", "eval") from error

__all__ = ["Interval", "bootstrap_interval"]

# Resampled values held in memory at once: 32 MB of them.
_BATCH_VALUES = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        value: The mean.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def bootstrap_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    num_resamples: int = 9999,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> Interval:
    """Percentile bootstrap interval of the mean over images.

    With groups, whole groups are drawn, so that images of the same lesion do not count as
    independent; the value is still the mean over images.

    Args:
        values: One score per image, (N,).
        confidence: Coverage in (0, 1).
        num_resamples: Number of bootstrap samples.
        seed: The same values and seed give the same interval.
        groups: The group of each value, (N,); None makes every image a group.

    Returns:
        The interval. With a single image or group nothing can be resampled, and both ends are the
        mean: that says nothing about certainty.

    Raises:
        ValueError: If there are no values, one is not finite, or the groups' number differs.

    References:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
        Field & Welsh (2007), doi:10.1111/j.1467-9868.2007.00593.x, for whole groups.

    Example:
        >>> bootstrap_interval([0.8])
        Interval(value=0.8, low=0.8, high=0.8)
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
        raise ValueError(f"expected finite values, (N,) with N >= 1; received shape {scores.shape}")
    names = np.arange(scores.size) if groups is None else np.asarray(groups)
    if names.shape != scores.shape:
        raise ValueError(f"{scores.size} values have {len(names)} groups; each value needs one")
    _, index = np.unique(names, return_inverse=True)
    sums = np.bincount(index, weights=scores)
    sizes = np.bincount(index)
    mean = float(scores.mean())
    if sums.size == 1:
        return Interval(mean, mean, mean)
    result = bootstrap(
        (sums, sizes),
        _mean_over_images,
        paired=True,
        vectorized=True,
        n_resamples=num_resamples,
        batch=max(1, _BATCH_VALUES // sums.size),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(mean, float(low), float(high))


def _mean_over_images(sums: NDArray[Any], sizes: NDArray[Any], axis: int) -> NDArray[np.float64]:
    return np.asarray(sums.sum(axis=axis) / sizes.sum(axis=axis))
