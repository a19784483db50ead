from __future__ import annotations

import pytest

from dermseg.evaluation import ImageScore, aggregate, bootstrap_interval
from dermseg.evaluation.score_table import OVERLAP_SCORES
from dermseg.metrics import ConfusionCounts

IMAGES = [
    ImageScore("a", ConfusionCounts(tp=8, fp=2, fn=0, tn=90)),
    ImageScore("b", ConfusionCounts(tp=1, fp=0, fn=3, tn=6)),
    ImageScore("c", ConfusionCounts(tp=0, fp=0, fn=0, tn=5)),
]


def test_every_score_of_an_image_is_aggregated() -> None:
    assert list(aggregate(IMAGES, groups={}, seed=0)) == [f"mean_{name}" for name in OVERLAP_SCORES]


def test_means_are_over_images_not_over_pixels() -> None:
    means = aggregate(IMAGES, groups={}, seed=0)
    assert means["mean_jaccard"].value == pytest.approx((0.8 + 0.25 + 1) / 3)
    assert means["mean_thresholded_jaccard"].value == pytest.approx((0.8 + 0 + 1) / 3)
    assert means["mean_dice"].value == pytest.approx((16 / 18 + 2 / 5 + 1) / 3)
    assert means["mean_accuracy"].value == pytest.approx((0.98 + 0.7 + 1) / 3)
    assert means["mean_sensitivity"].value == pytest.approx((1 + 0.25 + 1) / 3)
    assert means["mean_specificity"].value == pytest.approx((90 / 92 + 1 + 1) / 3)
    assert means["mean_precision"].value == pytest.approx((0.8 + 1 + 1) / 3)


def test_images_of_one_group_are_resampled_together() -> None:
    means = aggregate(IMAGES, groups={"a": "lesion", "b": "lesion"}, seed=4)
    expected = bootstrap_interval([0.8, 0.25, 1.0], groups=["lesion", "lesion", "c"], seed=4)
    assert means["mean_jaccard"] == expected


def test_no_image_has_no_mean() -> None:
    with pytest.raises(ValueError, match="0 images"):
        aggregate([], groups={}, seed=0)
