"""One rule makes masks of probabilities, and what is fitted to counts of pixels agrees with it."""

from __future__ import annotations

import numpy as np
import pytest

from dermseg.metrics import RocCounts, jaccard
from dermseg.prediction.postprocessing import postprocess, threshold_probability
from dermseg.recipes import Postprocessing


def test_a_pixel_at_the_threshold_is_set() -> None:
    probability = np.array([[0.25, 0.5, 0.75]], np.float32)
    assert threshold_probability(probability, 0.5).tolist() == [[False, True, True]]
    assert postprocess(probability, Postprocessing()).tolist() == [[False, True, True]]


def test_the_threshold_has_the_precision_of_the_probabilities() -> None:
    # 0.35 in float32 is less than 0.35 in float64; a map that holds it reaches it nevertheless.
    assert threshold_probability(np.array([0.35], np.float32), 0.35).tolist() == [True]


def test_the_score_of_a_fitted_threshold_is_that_of_its_mask() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random((40, 50)) < 0.4
    # On the borders between bins, where a rule that leaves them out would score otherwise.
    values = generator.integers(0, 20, truth.shape) + 6 * truth
    probability = (values / 32).astype(np.float32)
    counts = RocCounts()
    counts.add(probability, truth)
    threshold, score = counts.best_threshold()
    assert jaccard(threshold_probability(probability, threshold), truth) == pytest.approx(score)
