"""Confidence intervals of means over images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dermseg.errors import MissingExtraError

try:
    # Its parts are imported where they are first used: for the statistics that takes a second.
    import scipy
except ImportError as error:
    raise MissingExtraError("evaluation", "eval") from error

__all__ = [
    "NUM_RESAMPLES",
    "Interval",
    "bootstrap_interval",
    "bootstrap_intervals",
    "bootstrap_pooled",
    "bootstrap_weighted",
]

NUM_RESAMPLES: Final = 9999
"""Bootstrap samples of every interval, if no other number is asked for."""

# Resampled values held in memory at once: 32 MB of them.
_BATCH_VALUES = 4_000_000
# Levels of probability by truth, which a figure may sum up for each resample.
_WIDEST_TABLE = 512


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
    names = np.arange(scores.size) if groups is None else np.asarray(groups)
    if names.shape != scores.shape:
        raise ValueError(f"{scores.size} values have {len(names)} groups; each value needs one")
    _, index = np.unique(names, return_inverse=True)
    sums = np.bincount(index, weights=scores)
    sizes = np.bincount(index)
    mean = float(scores.mean())
    return _bootstrap((sums, sizes), _mean_over_images, mean, confidence, num_resamples, seed)


def bootstrap_intervals(
    values: ArrayLike,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> list[Interval]:
    """What `bootstrap_interval` gives for each of many scores of the same images, 95 %, but faster.

    The same images are drawn for all of them.

    Args:
        values: K scores of each image, (K, N).
        num_resamples: Number of bootstrap samples.
        seed: As for `bootstrap_interval`.
        groups: The group of each image, (N,); None makes every image a group.

    Raises:
        ValueError: If there are no images, a value is not finite, or the groups' number differs.
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 2 or not scores.shape[1] or not np.isfinite(scores).all():
        raise ValueError(
            f"expected finite values, (K, N) with N >= 1; received shape {scores.shape}"
        )
    names = np.arange(scores.shape[1]) if groups is None else np.asarray(groups)
    if names.shape != scores.shape[1:]:
        raise ValueError(f"{scores.shape[1]} images have {len(names)} groups; each needs one")
    _, index = np.unique(names, return_inverse=True)
    num_groups = int(index.max()) + 1
    sizes = np.bincount(index)
    sums = np.stack([np.bincount(index, weights=row) for row in scores]).reshape(-1, num_groups)
    step = max(1, _BATCH_VALUES // num_groups)
    means = [
        (times @ sums.T) / (times @ sizes)[:, None]
        for times in _draw_times(num_groups, num_resamples, step, seed)
    ]
    ends = np.quantile(np.concatenate(means), (0.025, 0.975), axis=0)
    return [
        Interval(float(row.mean()), float(low), float(high))
        for row, low, high in zip(scores, *ends, strict=True)
    ]


def bootstrap_pooled(
    counts: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> Interval:
    """Percentile bootstrap interval, 95 %, of a figure that follows from sums over images.

    Args:
        counts: What is summed over the images, (N, K).
        statistic: The figure of sums (..., K), as (...); it must not be NaN.
        num_resamples: Number of bootstrap samples.
        seed: The same counts and seed give the same interval.
        groups: The group of each image, (N,); whole groups are drawn. None makes every image one.

    Raises:
        ValueError: If there are no counts, or the groups' number differs.
    """
    if counts.ndim != 2 or not len(counts):
        raise ValueError(f"expected counts (N, K) with N >= 1; received shape {counts.shape}")
    names = np.arange(len(counts)) if groups is None else np.asarray(groups)
    if len(names) != len(counts):
        raise ValueError(f"{len(counts)} images have {len(names)} groups; each image needs one")
    _, index = np.unique(names, return_inverse=True)
    columns = tuple(np.bincount(index, weights=column) for column in counts.T)

    def of_resamples(*drawn: NDArray[Any], axis: int) -> NDArray[np.float64]:
        return statistic(np.stack([column.sum(axis=axis) for column in drawn], axis=-1))

    value = float(statistic(counts.sum(axis=0)))
    return _bootstrap(columns, of_resamples, value, 0.95, num_resamples, seed)


def bootstrap_weighted(
    statistics: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    num_images: int,
    *,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
    groups: Sequence[str] | None = None,
) -> list[Interval | None]:
    """Percentile bootstrap intervals, 95 %, of figures that follow from how often images count.

    For figures that are no sums, such as the area under a curve. The same images are drawn for all
    of the figures, so the interval of a difference is paired.

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
    names = np.arange(num_images) if groups is None else np.asarray(groups)
    if num_images < 1 or len(names) != num_images:
        raise ValueError(f"{num_images} images have {len(names)} groups; each image needs one")
    _, index = np.unique(names, return_inverse=True)
    num_groups = int(index.max()) + 1
    values = statistics(np.ones((1, num_images)))[:, 0]
    if num_groups == 1:
        ends = np.stack([values, values])
    else:
        step = max(1, _BATCH_VALUES // max(num_images, _WIDEST_TABLE))
        draws = _draw_times(num_groups, num_resamples, step, seed)
        drawn = [statistics(times[:, index].astype(np.float64)) for times in draws]
        ends = np.stack([_ends(row) for row in np.concatenate(drawn, axis=1)], axis=1)
    return [
        None if np.isnan(value) else Interval(float(value), float(low), float(high))
        for value, low, high in zip(values, *ends, strict=True)
    ]


def _ends(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = drawn[~np.isnan(drawn)]
    return np.quantile(defined, (0.025, 0.975)) if defined.size else np.full(2, np.nan)


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


def _bootstrap(
    columns: tuple[NDArray[Any], ...],
    statistic: Callable[..., NDArray[np.float64]],
    value: float,
    confidence: float,
    num_resamples: int,
    seed: int,
) -> Interval:
    """Draw groups with replacement; ``columns`` hold each group's sums."""
    num_groups = columns[0].size
    if num_groups == 1:
        return Interval(value, value, value)
    result = scipy.stats.bootstrap(
        columns,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=num_resamples,
        batch=max(1, _BATCH_VALUES // num_groups),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(value, float(low), float(high))


def _mean_over_images(sums: NDArray[Any], sizes: NDArray[Any], axis: int) -> NDArray[np.float64]:
    return np.asarray(sums.sum(axis=axis) / sizes.sum(axis=axis))
