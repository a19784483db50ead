"""Fit a weighted sum of features to numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dermseg.package import LinearModel
from dermseg.package.trust import FARTHEST

__all__ = ["fit_linear"]

_STEPS: Final = 25
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


def _solve(
    columns: NDArray[Any], truth: NDArray[Any], shares: NDArray[Any], penalty: float
) -> NDArray[np.float64]:
    """Newton's method, halving steps that do not help; the intercept is not penalised."""
    ridge = np.full(columns.shape[1], penalty)
    ridge[0] = 0.0
    found = np.zeros(columns.shape[1])

    def loss(point: NDArray[Any]) -> float:
        sums = columns @ point
        return float(shares @ (np.logaddexp(0, sums) - truth * sums) + ridge @ point**2 / 2)

    best = loss(found)
    for _ in range(_STEPS):
        expected = 0.5 * np.tanh(0.5 * (columns @ found)) + 0.5
        slope = columns.T @ (shares * (expected - truth)) + ridge * found
        bend = (columns.T * (shares * expected * (1 - expected))) @ columns + np.diag(ridge)
        step = np.linalg.solve(bend + _TINY * np.eye(len(bend)), slope)
        while (now := loss(found - step)) > best and np.abs(step).max() > _TINY:
            step /= 2
        found -= step
        if best - now < _TINY:
            break
        best = now
    return found
