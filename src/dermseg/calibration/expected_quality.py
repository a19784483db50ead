"""Fit the estimate of a mask's quality, and see what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Final

import numpy as np

from dermseg.calibration.logistic import estimate_left_out, fit_linear
from dermseg.evaluation import REVIEW_SHARE, bootstrap_interval, share_caught
from dermseg.package import QualityModel

__all__ = ["fit_quality"]

_PENALTY: Final = 3.0


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
        jaccards: Jaccard indices of their masks, in [0, 1].
        groups: Images of one group are in one fifth; at least ``FEWEST_GROUPS`` of them.
    """
    truth = np.array(jaccards, np.float64)
    expected = estimate_left_out(described, truth, groups, penalty=_PENALTY)
    certainty = -np.array([entry["entropy"] for entry in described])
    values = {
        "caught": share_caught(expected, truth, groups=groups),
        "caught_by_entropy": share_caught(certainty, truth, groups=groups),
        "mean_error": bootstrap_interval(np.abs(expected - truth), groups=groups),
    }
    return QualityModel(
        jaccard=fit_linear(described, truth, penalty=_PENALTY),
        review_below=round(float(np.quantile(expected, REVIEW_SHARE)), 4),
        values={name: astuple(value) for name, value in values.items() if value is not None},
    )
