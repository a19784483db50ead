from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from dermseg.metrics import ConfusionCounts, confusion_counts

SCORES = ("jaccard", "dice", "accuracy", "sensitivity", "specificity", "precision")
PREDICTION = np.array([[1, 1, 0], [1, 0, 0]], dtype=np.bool_)
TARGET = np.array([[1, 0, 0], [1, 1, 0]], dtype=np.bool_)


def test_pixels_are_counted_by_prediction_and_truth() -> None:
    assert confusion_counts(PREDICTION, TARGET) == ConfusionCounts(tp=2, fp=1, fn=1, tn=2)


def test_the_counts_are_plain_integers() -> None:
    counts = confusion_counts(PREDICTION, TARGET)
    assert all(type(value) is int for value in (counts.tp, counts.fp, counts.fn, counts.tn))


@given(npst.arrays(np.bool_, (2, 5, 7)))
def test_the_counts_are_those_of_scikit_learn(masks: NDArray[np.bool_]) -> None:
    prediction, target = masks
    expected = confusion_matrix(target.ravel(), prediction.ravel(), labels=[False, True])
    counts = confusion_counts(prediction, target)
    assert [[counts.tn, counts.fp], [counts.fn, counts.tp]] == expected.tolist()


def test_masks_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"prediction \(3, 2\) and target \(2, 3\) differ in size"):
        confusion_counts(PREDICTION.T, TARGET)


@pytest.mark.parametrize("name", ["prediction", "target"])
def test_masks_that_are_not_bool_are_refused(name: str) -> None:
    masks = {"prediction": PREDICTION, "target": TARGET}
    masks[name] = masks[name].astype(np.uint8)
    with pytest.raises(ValueError, match=f"the {name} is uint8; expected bool"):
        confusion_counts(**masks)


@pytest.mark.parametrize(
    ("name", "counts", "expected"),
    [
        ("jaccard", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 6 / 12),
        ("dice", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 12 / 18),
        ("accuracy", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 94 / 100),
        ("sensitivity", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 6 / 10),
        ("specificity", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 88 / 90),
        ("precision", ConfusionCounts(tp=6, fp=2, fn=4, tn=88), 6 / 8),
    ],
)
def test_scores_follow_their_formulas(name: str, counts: ConfusionCounts, expected: float) -> None:
    assert getattr(counts, name)() == expected


@pytest.mark.parametrize(
    ("counts", "undefined"),
    [
        (ConfusionCounts(tp=0, fp=0, fn=0, tn=9), {"jaccard", "dice", "sensitivity", "precision"}),
        (ConfusionCounts(tp=0, fp=2, fn=0, tn=7), {"sensitivity"}),
        (ConfusionCounts(tp=0, fp=0, fn=2, tn=7), {"precision"}),
        (ConfusionCounts(tp=9, fp=0, fn=0, tn=0), {"specificity"}),
        (ConfusionCounts(tp=0, fp=0, fn=0, tn=0), set(SCORES)),
    ],
)
def test_only_scores_without_a_denominator_are_undefined(
    counts: ConfusionCounts, undefined: set[str]
) -> None:
    found = {name for name in SCORES if math.isnan(getattr(counts, name)(undefined=math.nan))}
    assert found == undefined
    assert all(getattr(counts, name)() == 1 for name in undefined)


@pytest.mark.parametrize(("tp", "expected"), [(64, 0.0), (65, 0.65), (66, 0.66)])
def test_jaccard_counts_from_the_threshold_on(tp: int, expected: float) -> None:
    assert ConfusionCounts(tp=tp, fp=100 - tp, fn=0, tn=0).thresholded_jaccard() == expected


def test_an_undefined_jaccard_stays_undefined_under_the_threshold() -> None:
    empty = ConfusionCounts(tp=0, fp=0, fn=0, tn=4)
    assert math.isnan(empty.thresholded_jaccard(undefined=math.nan))
    assert empty.thresholded_jaccard() == 1


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_a_threshold_outside_the_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="must be in"):
        ConfusionCounts(tp=1, fp=0, fn=0, tn=0).thresholded_jaccard(threshold=threshold)


@given(*[st.integers(0, 1000) for _ in range(4)])
def test_dice_and_jaccard_tell_the_same(tp: int, fp: int, fn: int, tn: int) -> None:
    counts = ConfusionCounts(tp=tp, fp=fp, fn=fn, tn=tn)
    j = counts.jaccard()
    assert counts.dice() == pytest.approx(2 * j / (1 + j))
