from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from dermseg.evaluation import (
    PROTOCOLS,
    ImageScore,
    Interval,
    bootstrap_interval,
    protocol_figures,
)
from dermseg.evaluation.figures import mean_measures
from dermseg.evaluation.score_table import OVERLAP_SCORES, PROBABILITY_SCORES
from dermseg.metrics import ConfusionCounts

IMAGES = [
    ImageScore("a", ConfusionCounts(tp=8, fp=2, fn=0, tn=90)),
    ImageScore("b", ConfusionCounts(tp=1, fp=0, fn=3, tn=6)),
    ImageScore("c", ConfusionCounts(tp=0, fp=0, fn=0, tn=5)),
]


def means_of(groups: Mapping[str, str]) -> Mapping[str, Interval]:
    return protocol_figures(PROTOCOLS["isic"], IMAGES, groups=groups, seed=4).figures


def test_every_score_of_an_image_is_aggregated() -> None:
    assert list(means_of({})) == [f"mean_{name}" for name in OVERLAP_SCORES]


def test_means_are_over_images_not_over_pixels() -> None:
    means = means_of({})
    assert means["mean_jaccard"].value == pytest.approx((0.8 + 0.25 + 1) / 3)
    assert means["mean_thresholded_jaccard"].value == pytest.approx((0.8 + 0 + 1) / 3)
    assert means["mean_dice"].value == pytest.approx((16 / 18 + 2 / 5 + 1) / 3)
    assert means["mean_accuracy"].value == pytest.approx((0.98 + 0.7 + 1) / 3)
    assert means["mean_sensitivity"].value == pytest.approx((1 + 0.25 + 1) / 3)
    assert means["mean_specificity"].value == pytest.approx((90 / 92 + 1 + 1) / 3)
    assert means["mean_precision"].value == pytest.approx((0.8 + 1 + 1) / 3)


def test_images_of_one_group_are_resampled_together() -> None:
    means = means_of({"a": "lesion", "b": "lesion"})
    expected = bootstrap_interval([0.8, 0.25, 1.0], groups=["lesion", "lesion", "c"], seed=4)
    assert means["mean_jaccard"] == expected


def test_what_no_protocol_knows_is_averaged_where_it_is_defined() -> None:
    probability = dict.fromkeys(PROBABILITY_SCORES, 0.5)
    scores = [
        replace(IMAGES[0], probability={**probability, "auc": 0.8, "brier_score": math.nan}),
        replace(IMAGES[1], probability={**probability, "auc": 0.6, "brier_score": math.nan}),
        IMAGES[2],
    ]
    means = mean_measures(scores, groups={}, seed=0)
    assert means["mean_auc"].value == pytest.approx(0.7)
    assert list(means) == [f"mean_{name}" for name in PROBABILITY_SCORES if name != "brier_score"]
    assert mean_measures(IMAGES, groups={}, seed=0) == {}
