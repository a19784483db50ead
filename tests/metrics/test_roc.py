"""The ROC curve from counts: by hand, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dermseg.metrics import RocCounts


def count(probability: object, truth: object) -> RocCounts:
    counts = RocCounts()
    counts.add(np.array([probability], np.float32), np.array([truth], np.bool_))
    return counts


def test_area_by_hand() -> None:
    # Of the four pairs of lesion and skin, three are ranked rightly and one is a tie.
    assert count([0.9, 0.6, 0.6, 0.1], [1, 1, 0, 0]).area() == 0.875


@pytest.mark.parametrize(("truth", "area"), [([1, 1, 0, 0], 1.0), ([0, 0, 1, 1], 0.0)])
def test_perfect_and_perfectly_wrong(truth: list[int], area: float) -> None:
    assert count([1.0, 0.8, 0.2, 0.0], truth).area() == area


def test_guesses_have_an_area_of_a_half() -> None:
    assert count([0.5, 0.5, 0.5], [1, 0, 0]).area() == 0.5


@pytest.mark.parametrize("truth", [[1, 1], [0, 0]])
def test_pixels_of_one_kind_have_no_curve(truth: list[int]) -> None:
    counts = count([0.2, 0.7], truth)
    assert counts.curve() is None
    assert math.isnan(counts.area())


def test_curve_rises_from_0_to_1() -> None:
    rates = count([0.9, 0.6, 0.6, 0.1], [1, 1, 0, 0]).curve()
    assert rates is not None
    for rate in rates:
        assert rate.shape == (256 + 1,)
        assert (rate[0], rate[-1]) == (0, 1)
        assert (np.diff(rate) >= 0).all()


def test_images_are_pooled() -> None:
    counts = count([0.9, 0.6], [1, 1])
    counts.add(np.array([[0.6, 0.1]], np.float32), np.array([[False, False]]))
    assert counts.area() == 0.875


def test_area_is_near_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random((60, 80)) < 0.3
    probability = np.clip(0.4 * truth + 0.3 * generator.random(truth.shape), 0, 1)
    probability[generator.random(truth.shape) < 0.2] = 0.35
    counts = RocCounts()
    counts.add(probability, truth)
    expected = roc_auc_score(truth.ravel(), probability.ravel())
    assert counts.area() == pytest.approx(expected, abs=1 / 256)
    # Rounded to the same bins, it is the same number.
    binned = np.floor(probability * 256)
    assert counts.area() == pytest.approx(roc_auc_score(truth.ravel(), binned.ravel()))


def test_best_threshold_by_hand() -> None:
    counts = count([0.9, 0.6, 0.6, 0.3, 0.1], [1, 1, 0, 1, 0])
    # From 0.3 upwards all three are found and one is wrong.
    threshold, jaccard = counts.best_threshold()
    assert jaccard == 3 / 4
    assert 0.1 < threshold <= 0.3


def test_best_threshold_lies_in_the_middle_of_a_gap() -> None:
    threshold, jaccard = count([0.75, 0.25], [1, 0]).best_threshold()
    assert threshold == pytest.approx(0.5, abs=2 / 256)
    assert jaccard == 1


def test_best_jaccard_is_that_of_the_mask_at_the_threshold() -> None:
    generator = np.random.default_rng(1)
    truth = generator.random((50, 60)) < 0.1
    probability = np.clip(0.3 * truth + 0.7 * generator.random(truth.shape), 0, 1)
    probability = probability.astype(np.float32)
    threshold, jaccard = count(probability, truth).best_threshold()
    scores = [
        (truth & mask).sum() / (truth | mask).sum()
        for mask in (probability >= level / 256 for level in range(1, 256))
    ]
    assert jaccard == pytest.approx(max(scores))
    mask = probability >= threshold
    assert jaccard == pytest.approx((truth & mask).sum() / (truth | mask).sum())


def test_class_that_is_nowhere_has_no_best_threshold() -> None:
    assert all(math.isnan(value) for value in count([0.9, 0.1], [0, 0]).best_threshold())


def test_pixels_count_by_their_weight() -> None:
    counts = RocCounts()
    counts.add(np.array([0.9, 0.4]), np.array([True, False]), weight=0.5)
    counts.add(np.array([0.4]), np.array([True]), weight=0.125)
    assert counts.positives.sum() == 0.625
    # Low threshold: 0.625 of 1.125; high one: 0.5 of 0.625.
    assert counts.best_threshold()[1] == pytest.approx(0.5 / 0.625)
