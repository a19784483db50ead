from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, roc_curve

from dermseg.evaluation.report.curves import (
    precision_recall_points,
    reliability_points,
    roc_points,
)
from dermseg.metrics import ProbabilityCounts


def random_counts() -> tuple[np.ndarray, np.ndarray, ProbabilityCounts]:
    generator = np.random.default_rng(1)
    target = generator.random(5000) < 0.3
    levels = np.clip(generator.normal(90 + 80 * target, 50), 0, 255).astype(np.uint8)
    return levels, target, ProbabilityCounts.of(levels, target)


def test_three_levels_give_the_points_computed_by_hand() -> None:
    levels = np.array([255, 255, 128, 0], np.uint8)
    counts = ProbabilityCounts.of(levels, np.array([True, False, True, False]))
    assert roc_points(counts) == [(0, 0), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert precision_recall_points(counts) == [
        (0, 0.5),
        (0.5, 0.5),
        (1, pytest.approx(2 / 3)),
        (1, 0.5),
    ]


def test_the_area_under_the_points_is_the_area_of_the_pixels() -> None:
    levels, target, counts = random_counts()
    x, y = zip(*roc_points(counts), strict=True)
    expected = auc(*roc_curve(target, levels)[:2])
    assert auc(x, y) == pytest.approx(expected, abs=1e-3)


def test_reliability_agrees_with_scikit_learn() -> None:
    levels, target, _ = random_counts()
    # Bins here are closed above, there below: compare where no level lies on an edge but 0, 17...
    inner = levels % 17 != 0
    points, shares = reliability_points(ProbabilityCounts.of(levels[inner], target[inner]))
    lesion, probability = calibration_curve(target[inner], levels[inner] / 255, n_bins=15)
    assert [point[0] for point in points] == pytest.approx(probability.tolist())
    assert [point[1] for point in points] == pytest.approx(lesion.tolist())
    assert sum(shares) == pytest.approx(1)


def test_one_class_has_no_curve() -> None:
    counts = ProbabilityCounts.of(np.array([3, 9], np.uint8), np.array([False, False]))
    assert roc_points(counts) == []
    assert precision_recall_points(counts) == []
    assert len(reliability_points(counts)[0]) == 1
