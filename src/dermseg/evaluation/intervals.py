"""Confidence intervals by resampling images: one bootstrap for every figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "NUM_RESAMPLES",
    "Interval",
    "bootstrap_interval",
    "bootstrap_means",
    "bootstrap_weighted",
]

NUM_RESAMPLES: Final = 9999
"""Bootstrap samples of every interval, if no other number is asked for."""

# Resampled values held in memory at once: 32 MB of them.
_BATCH_VALUES = 4_000_000
# Levels of probability by truth, which a figure may sum up for each resample.
_WIDEST_TABLE = 512

_Values: TypeAlias = NDArray[np.float64]
_Statistics: TypeAlias = Callable[[_Values], _Values]


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval.

    Attributes:
        value: The figure.
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
    num_resamples: int = NUM_RESAMPLES,
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
    index = _index_groups(scores.size, groups)
    (row,) = _resample(partial(_means, scores[None]), index, num_resamples, seed, confidence)
    return Interval(*row.tolist())


def bootstrap_means(
    values: NDArray[np.float64],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> list[Interval | None]:
    """Percentile bootstrap intervals, 95 %, of the means of many scores of the same images.

    Each mean is over the images that have the score, and the interval is that of
    `bootstrap_interval` over these. Scores that the same images have are resampled together.

    Args:
        values: K scores of each image, (K, N); NaN where an image has no such score.
        num_resamples: Number of bootstrap samples.
        seed: As for `bootstrap_interval`.
        groups: The group of each image, (N,); None makes every image a group.

    Returns:
        K intervals; None for a score that no image has.

    Raises:
        ValueError: If there are no images, or the groups' number differs.
    """
    index = _index_groups(values.shape[1], groups)
    defined = ~np.isnan(values)
    alike: dict[bytes, list[int]] = {}
    for row, images in enumerate(defined):
        if images.any():
            alike.setdefault(images.tobytes(), []).append(row)
    found: list[Interval | None] = [None] * len(values)
    for rows in alike.values():
        images = defined[rows[0]]
        table = values[rows][:, images]
        _, kept = np.unique(index[images], return_inverse=True)
        intervals = _resample(partial(_means, table), kept, num_resamples, seed)
        for row, interval in zip(rows, intervals, strict=True):
            found[row] = Interval(*interval.tolist())
    return found


def bootstrap_weighted(
    statistics: _Statistics,
    num_images: int,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> list[Interval | None]:
    """Percentile bootstrap intervals, 95 %, of figures that follow from how often images count.

    For figures that are no means, such as ratios of sums or the area under a curve. The same images
    are drawn for all of the figures, so the interval of a difference is paired.

    Args:
        statistics: S figures, (S, R), of R draws of the images, (R, N) float64: how often each
            image was drawn. NaN where a draw has no such figure, for example because it has no
            positive image; such draws do not count.
        num_images: N.
        num_resamples: Number of bootstrap samples.
        seed: The same images and seed give the same intervals.
        groups: The group of each image, (N,); whole groups are drawn. None makes every image one.

    Returns:
        One interval for each figure; None where all images together have no such figure.

    Raises:
        ValueError: If there are no images, or the groups' number differs.
    """
    rows = _resample(statistics, _index_groups(num_images, groups), num_resamples, seed)
    return [None if np.isnan(row[0]) else Interval(*row.tolist()) for row in rows]


def _index_groups(num_images: int, groups: Sequence[str] | None) -> NDArray[np.intp]:
    """The number of each image's group, (N,)."""
    names = np.arange(num_images) if groups is None else np.asarray(groups)
    if num_images < 1 or len(names) != num_images:
        raise ValueError(f"{num_images} images have {len(names)} groups; each image needs one")
    return np.unique(names, return_inverse=True)[1]


def _resample(
    statistics: _Statistics,
    index: NDArray[np.intp],
    num_resamples: int,
    seed: int,
    confidence: float = 0.95,
) -> _Values:
    """Value, lower and upper end of each figure, (S, 3)."""
    num_images, num_groups = len(index), int(index.max()) + 1
    values = statistics(np.ones((1, num_images)))[:, 0]
    if num_groups == 1:
        return np.stack([values] * 3, axis=1)
    step = max(1, _BATCH_VALUES // max(num_images, _WIDEST_TABLE))
    draws = _draw_times(num_groups, num_resamples, step, seed)
    drawn = [statistics(times[:, index].astype(np.float64)) for times in draws]
    ends = [_ends(row, confidence) for row in np.concatenate(drawn, axis=1)]
    return np.column_stack([values, ends])


def _means(values: _Values, times: _Values) -> _Values:
    """Means of K scores, (K, N), over R draws, (R, N), as (K, R)."""
    return np.asarray(values @ times.T / times.sum(axis=1))


def _ends(drawn: _Values, confidence: float) -> _Values:
    defined = drawn[~np.isnan(drawn)]
    outside = (1 - confidence) / 2
    if not defined.size:
        return np.full(2, np.nan)
    return np.asarray(np.quantile(defined, (outside, 1 - outside)), np.float64)


def _draw_times(
    num_groups: int, num_resamples: int, step: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Draw groups with replacement: how often each was drawn, at most ``step`` resamples a time.

    That turns sums over draws into one matrix product.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, num_resamples, step):
        drawn = rng.integers(0, num_groups, (min(step, num_resamples - start), num_groups))
        rows = np.arange(len(drawn))[:, None] * num_groups
        yield np.bincount((drawn + rows).ravel(), minlength=drawn.size).reshape(drawn.shape)
