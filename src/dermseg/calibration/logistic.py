"""Logistic regression of numbers between 0 and 1, and the parts that are left out of fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from dermseg.package import LinearModel
from dermseg.package.estimates import FARTHEST

__all__ = ["FEWEST_GROUPS", "divide_by_group", "estimate_left_out", "fit_linear"]

FEWEST_GROUPS: Final = 5
"""Number of cross-validation parts; each needs a group of its own."""


_TINY: Final = 1e-6


def fit_linear(
    described: Sequence[Mapping[str, float]],
    targets: ArrayLike,
    *,
    penalty: float,
    squares: bool = False,
    weights: ArrayLike | None = None,
) -> LinearModel:
    """Fit by the highest likelihood less a penalty: logistic regression.

    The targets may also be shares, such as Jaccard indices; the mean of what the model gives for
    the images that it was fitted on is then their mean.

    Args:
        described: The features of each image; all have the same.
        targets: (images,), in [0, 1].
        penalty: Half of it times the squared weights is taken off; above 0.
        squares: Whether the squares of the features count too.
        weights: What each image counts, (images,); None counts each once.

    References:
        Papke and Wooldridge (1996), Journal of Applied Econometrics 11(6), 619-632.
    """
    names = list(described[0])
    values = np.array([[entry[name] for name in names] for entry in described])
    truth = np.asarray(targets, np.float64)
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    centres, scales = values.mean(axis=0), values.std(axis=0) + _TINY
    columns = np.clip((values - centres) / scales, -FARTHEST, FARTHEST)
    if squares:
        columns = np.hstack([columns, columns**2])
    found = _solve(np.column_stack([np.ones(len(values)), columns]), truth, shares, penalty)
    rounded = [float(f"{value:.6g}") for value in found]
    num = len(names)
    return LinearModel(
        features=names,
        centres=[float(f"{value:.6g}") for value in centres],
        scales=[float(f"{value:.6g}") for value in scales],
        weights=rounded[1 : num + 1],
        squares=rounded[num + 1 :],
        intercept=rounded[0],
    )


def estimate_left_out(
    described: Sequence[Mapping[str, float]],
    targets: ArrayLike,
    groups: Sequence[str],
    *,
    penalty: float,
) -> NDArray[np.float64]:
    """Estimate each image by a model that was fitted without its fifth of the images.

    Args:
        described: As for `fit_linear`.
        targets: Likewise.
        groups: Images of one group are in one fifth; at least ``FEWEST_GROUPS`` of them.
        penalty: As for `fit_linear`.

    Returns:
        (images,), in [0, 1].
    """
    truth = np.asarray(targets, np.float64)
    parts = divide_by_group(groups, FEWEST_GROUPS)
    estimated = np.zeros(len(truth))
    for part in np.unique(parts):
        left = np.flatnonzero(parts != part).tolist()
        model = fit_linear([described[row] for row in left], truth[left], penalty=penalty)
        for row in np.flatnonzero(parts == part).tolist():
            estimated[row] = model(described[row])
    return estimated


def divide_by_group(groups: Sequence[str], num_parts: int) -> NDArray[np.int64]:
    """The part of each image, (images,) from 0; all images of a group are in one part.

    The groups are shuffled, always in the same way, and the parts have the same number of them.
    """
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names)) % num_parts
    part = dict(zip(names, order.tolist(), strict=True))
    return np.array([part[group] for group in groups])


def _solve(
    columns: NDArray[Any], truth: NDArray[Any], shares: NDArray[Any], penalty: float
) -> NDArray[np.float64]:
    """The weights of the lowest cost, which is convex; the intercept is not penalised."""
    ridge = np.full(columns.shape[1], penalty)
    ridge[0] = 0.0

    def cost(point: NDArray[Any]) -> float:
        sums = columns @ point
        return float(shares @ (np.logaddexp(0, sums) - truth * sums) + ridge @ point**2 / 2)

    def slope(point: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(columns.T @ (shares * (expit(columns @ point) - truth)) + ridge * point)

    def bend(point: NDArray[Any]) -> NDArray[Any]:
        expected = expit(columns @ point)
        return np.asarray(
            (columns.T * (shares * expected * (1 - expected))) @ columns + np.diag(ridge)
        )

    start = np.zeros(columns.shape[1])
    found = minimize(cost, start, jac=slope, hess=bend, method="trust-exact")
    return np.asarray(found.x, np.float64)
