"""Scores of probabilities: by hand, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from dermseg.metrics import ProbabilityCounts, to_levels


def draw(seed: int, num_pixels: int = 4000) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    generator = np.random.default_rng(seed)
    target = generator.random(num_pixels) < 0.3
    levels = np.clip(generator.normal(90 + 70 * target, 60), 0, 255).astype(np.uint8)
    return levels.reshape(40, -1), target.reshape(40, -1)


@pytest.mark.parametrize("seed", range(5))
def test_the_scores_are_those_of_scikit_learn(seed: int) -> None:
    levels, target = draw(seed)
    counts = ProbabilityCounts.of(levels, target)
    truth, probability = target.ravel(), levels.ravel() / 255
    assert counts.auc() == pytest.approx(roc_auc_score(truth, probability), abs=1e-9)
    assert counts.average_precision() == pytest.approx(
        average_precision_score(truth, probability), abs=1e-9
    )
    assert counts.brier_score() == pytest.approx(brier_score_loss(truth, probability), abs=1e-9)
    kept = np.clip(probability, 1 / 1020, 1019 / 1020)
    assert counts.cross_entropy() == pytest.approx(log_loss(truth, kept), abs=1e-9)


@pytest.mark.parametrize("num_bins", [1, 7, 10, 15, 255])
def test_the_calibration_error_is_that_of_a_loop_over_bins(num_bins: int) -> None:
    levels, target = draw(11)
    whole = levels.ravel().astype(int)
    error = 0.0
    for number in range(num_bins):
        # Whole numbers: (lower, upper] without rounding.
        above = whole * num_bins > 255 * number if number else whole >= 0
        inside = above & (whole * num_bins <= 255 * (number + 1))
        if inside.any():
            gap = (whole[inside] / 255).mean() - target.ravel()[inside].mean()
            error += inside.mean() * abs(gap)
    counts = ProbabilityCounts.of(levels, target)
    assert counts.expected_calibration_error(num_bins=num_bins) == pytest.approx(error, abs=1e-9)


def test_scores_by_hand() -> None:
    counts = ProbabilityCounts.of(
        np.array([[255, 0, 255, 0]], np.uint8), np.array([[True, False, False, True]])
    )
    assert counts.auc() == 0.5
    assert counts.average_precision() == 0.5
    assert counts.brier_score() == 0.5
    assert counts.expected_calibration_error() == 0.5
    expected = -(math.log(1019 / 1020) + math.log(1 / 1020)) / 2
    assert counts.cross_entropy() == pytest.approx(expected, abs=1e-12)


def test_perfect_probabilities_have_perfect_scores() -> None:
    _, target = draw(0)
    counts = ProbabilityCounts.of(target * np.uint8(255), target)
    assert (counts.auc(), counts.average_precision()) == (1, 1)
    assert (counts.brier_score(), counts.expected_calibration_error()) == (0, 0)
    assert counts.cross_entropy() == pytest.approx(1 / 1020, rel=1e-3)


def test_scores_without_a_meaning_are_not_numbers() -> None:
    levels, target = draw(0)
    skin = ProbabilityCounts.of(levels, np.zeros_like(target))
    assert math.isnan(skin.auc())
    assert math.isnan(skin.average_precision())
    assert skin.brier_score() > 0
    lesion = ProbabilityCounts.of(levels, np.ones_like(target))
    assert math.isnan(lesion.auc())
    assert lesion.average_precision() == 1
    nothing = ProbabilityCounts.of(levels[:0], target[:0])
    assert all(
        math.isnan(score)
        for score in (
            nothing.brier_score(),
            nothing.cross_entropy(),
            nothing.expected_calibration_error(),
        )
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 39))
def test_images_that_are_added_count_like_one(seed: int, rows: int) -> None:
    levels, target = draw(seed, 400)
    whole = ProbabilityCounts.of(levels, target)
    parts = ProbabilityCounts.of(levels[:rows], target[:rows]) + ProbabilityCounts.of(
        levels[rows:], target[rows:]
    )
    assert parts.auc() == whole.auc()
    assert parts.num_pixels == 400


def test_probabilities_are_rounded_as_files_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    from dermseg.images import read_mask_values, write_probability  # noqa: PLC0415

    probability = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    file = tmp_path_factory.mktemp("probability") / "a.png"
    write_probability(file, probability)
    np.testing.assert_array_equal(to_levels(probability), read_mask_values(file))


def test_levels_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="expected uint8 and bool"):
        ProbabilityCounts.of(np.zeros((2, 2)), np.zeros((2, 2), np.bool_))  # type: ignore[arg-type]
