from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    jaccard_score,
    precision_score,
    recall_score,
)

from dermseg import metrics

EMPTY = np.zeros((3, 4), dtype=np.bool_)
FULL = ~EMPTY
# scikit-learn's specificity is the recall of the other class.
REFERENCES: dict[str, Callable[..., float]] = {
    "jaccard": jaccard_score,
    "dice": f1_score,
    "accuracy": accuracy_score,
    "sensitivity": recall_score,
    "specificity": lambda target, prediction, **rule: recall_score(~target, ~prediction, **rule),
    "precision": precision_score,
}


@pytest.mark.parametrize("name", REFERENCES)
@given(masks=npst.arrays(np.bool_, (2, 4, 5)))
def test_the_scores_are_those_of_scikit_learn(name: str, masks: NDArray[np.bool_]) -> None:
    prediction, target = masks
    rule = {} if name == "accuracy" else {"zero_division": 1.0}
    expected = REFERENCES[name](target.ravel(), prediction.ravel(), **rule)
    assert getattr(metrics, name)(prediction, target) == pytest.approx(expected)


def test_a_mask_against_a_shifted_one_has_the_scores_counted_by_hand() -> None:
    prediction, target = EMPTY.copy(), EMPTY.copy()
    prediction[0, :3] = True
    target[0, 1:] = True
    assert metrics.jaccard(prediction, target) == 2 / 4
    assert metrics.thresholded_jaccard(prediction, target) == 0
    assert metrics.thresholded_jaccard(prediction, target, threshold=0.5) == 2 / 4
    assert metrics.dice(prediction, target) == 4 / 6
    assert metrics.accuracy(prediction, target) == 10 / 12
    assert metrics.sensitivity(prediction, target) == 2 / 3
    assert metrics.specificity(prediction, target) == 8 / 9
    assert metrics.precision(prediction, target) == 2 / 3


def test_sensitivity_and_precision_are_not_mixed_up() -> None:
    one = EMPTY.copy()
    one[1, 1] = True
    assert (metrics.sensitivity(FULL, one), metrics.precision(FULL, one)) == (1, 1 / 12)


@pytest.mark.parametrize("name", ["jaccard", "thresholded_jaccard", "dice", "sensitivity"])
def test_two_empty_masks_score_one_or_what_is_asked_for(name: str) -> None:
    score = getattr(metrics, name)
    assert score(EMPTY, EMPTY) == 1
    assert score(EMPTY, EMPTY, undefined=0.0) == 0
    assert math.isnan(score(EMPTY, EMPTY, undefined=math.nan))


@pytest.mark.parametrize("name", ["jaccard", "thresholded_jaccard", "dice", "precision"])
def test_a_lesion_where_none_is_scores_zero(name: str) -> None:
    assert getattr(metrics, name)(FULL, EMPTY) == 0


def test_specificity_is_undefined_where_the_truth_is_the_whole_image() -> None:
    assert metrics.specificity(EMPTY, FULL) == 1
    assert metrics.specificity(EMPTY, FULL, undefined=0.0) == 0


def test_precision_is_undefined_where_nothing_is_predicted() -> None:
    assert metrics.precision(EMPTY, FULL) == 1
    assert metrics.precision(EMPTY, FULL, undefined=0.0) == 0


def test_accuracy_of_no_pixels_is_undefined() -> None:
    nothing = np.zeros((0, 3), dtype=np.bool_)
    assert metrics.accuracy(nothing, nothing) == 1
    assert metrics.accuracy(nothing, nothing, undefined=0.0) == 0


def test_masks_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in size"):
        metrics.thresholded_jaccard(EMPTY, EMPTY.T)
