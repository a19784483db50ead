"""Fit the estimate of a mask's quality, and see what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation import bootstrap_interval
from dermseg.metrics import JACCARD_THRESHOLD
from dermseg.package import QualityModel
from dermseg.training.calibrating.logistic import fit_linear
from dermseg.training.calibrating.parts import divide

__all__ = ["FEWEST_GROUPS", "REVIEW_SHARE", "fit_quality", "share_caught"]

REVIEW_SHARE: Final = 0.2
"""Share of the images that are flagged for review."""

FEWEST_GROUPS: Final = 5
"""As many parts are left out in turn, each with a group of its own."""

_PENALTY: Final = 3.0
_NUM_RESAMPLES: Final = 999

Values = NDArray[np.float64]


def fit_quality(
    described: Sequence[Mapping[str, float]],
    jaccards: Sequence[float],
    groups: Sequence[str],
) -> QualityModel:
    """Fit the estimate of the Jaccard index, and the level below which a mask is reviewed.

    The level and all that is reported come from estimates of models that were fitted without the
    image's fifth of the images.

    Args:
        described: As `describe` gives it, of predictions of a model that did not see
            the image in training.
        jaccards: Of their masks, in [0, 1].
        groups: Images of one group are in one fifth; at least ``FEWEST_GROUPS`` of them.
    """
    truth = np.array(jaccards, np.float64)
    parts = divide(groups, FEWEST_GROUPS)
    expected = np.zeros(len(truth))
    for part in np.unique(parts):
        left = np.flatnonzero(parts != part).tolist()
        model = fit_linear([described[row] for row in left], truth[left], penalty=_PENALTY)
        for row in np.flatnonzero(parts == part).tolist():
            expected[row] = model(described[row])
    certainty = -np.array([entry["entropy"] for entry in described])
    values = {
        "caught": _interval(expected, truth),
        "caught_by_entropy": _interval(certainty, truth),
        "mean_error": astuple(bootstrap_interval(np.abs(expected - truth))),
    }
    return QualityModel(
        jaccard=fit_linear(described, truth, penalty=_PENALTY),
        review_below=round(float(np.quantile(expected, REVIEW_SHARE)), 4),
        values={name: value for name, value in values.items() if not np.isnan(value).any()},
    )


def share_caught(expected: Values, jaccards: Values, *, share: float = REVIEW_SHARE) -> float:
    """Share of the poor masks that are among those of the lowest expectation.

    Args:
        expected: (images,); only the order counts.
        jaccards: (images,), the truth.
        share: Of the images that are looked at.

    Returns:
        In [0, 1]; NaN where no mask is poor.

    Example:
        >>> share_caught(np.array([0.1, 0.9, 0.5, 0.8, 0.7]), np.array([0.3, 0.6, 0.9, 0.9, 0.9]))
        0.5
    """
    poor = jaccards < JACCARD_THRESHOLD
    if not poor.any():
        return float("nan")
    flagged = np.argsort(expected, kind="stable")[: round(share * len(expected))]
    return float(poor[flagged].sum() / poor.sum())


def _interval(expected: Values, truth: Values) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(truth), (_NUM_RESAMPLES, len(truth)))
    drawn = np.array([share_caught(expected[row], truth[row]) for row in rows])
    low, high = (
        np.nanquantile(drawn, (0.025, 0.975)) if not np.isnan(drawn).all() else (np.nan,) * 2
    )
    return share_caught(expected, truth), float(low), float(high)
