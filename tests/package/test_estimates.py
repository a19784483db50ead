from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from dermseg.package import LinearModel


def test_a_model_sums_standardised_features_and_their_squares() -> None:
    model = LinearModel(
        features=["a", "b"],
        centres=[1.0, 0.0],
        scales=[2.0, 1.0],
        weights=[0.5, -1.0],
        squares=[0.25, 0.0],
        intercept=0.1,
    )
    # a stands 1 scale above its centre, b 2 below.
    total = 0.1 + 0.5 * 1 + 0.25 * 1 + 2
    assert model({"a": 3, "b": -2, "c": 9}) == pytest.approx(1 / (1 + math.exp(-total)))


def test_what_lies_far_out_counts_no_more_than_four_scales() -> None:
    model = LinearModel(features=["a"], centres=[0], scales=[1], weights=[1], intercept=0)
    assert model({"a": 1e9}) == model({"a": 4}) == pytest.approx(1 / (1 + math.exp(-4)))


def test_numbers_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="expected as many of each"):
        LinearModel(features=["a"], centres=[0, 1], scales=[1], weights=[1], intercept=0)
    with pytest.raises(ValidationError):
        LinearModel(features=["a"], centres=[0], scales=[0], weights=[1], intercept=0)
