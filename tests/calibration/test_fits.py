from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from dermseg.calibration.expected_quality import fit_quality
from dermseg.calibration.logistic import divide_by_group, fit_linear
from dermseg.calibration.out_of_distribution import Kind, fit_out_of_distribution
from dermseg.calibration.scaling import LogitCounts
from dermseg.package import LinearModel
from dermseg.prediction.quality import NO_LESION, NOT_DERMOSCOPIC, find_refusal

RNG = np.random.default_rng(0)


def _rows(values: np.ndarray) -> list[dict[str, float]]:
    return [{f"x{column}": float(row[column]) for column in range(len(row))} for row in values]


def test_the_fit_is_that_of_scikit_learn() -> None:
    values = RNG.normal(size=(200, 3)) * [1, 5, 0.1] + [0, 2, 7]
    truth = values[:, 0] + 0.3 * values[:, 1] + RNG.normal(size=200) > 0
    model = fit_linear(_rows(values), truth, penalty=2.0)
    standard = np.clip((values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6), -4, 4)
    other = LogisticRegression(C=0.5, tol=1e-8).fit(standard, truth)
    assert model.weights == pytest.approx(other.coef_[0].tolist(), abs=1e-3)
    assert model.intercept == pytest.approx(other.intercept_[0], abs=1e-3)


def test_shares_are_met_on_average_and_squares_find_a_middle() -> None:
    values = RNG.normal(size=(300, 1))
    shares = np.exp(-(values[:, 0] ** 2))
    model = fit_linear(_rows(values), shares, penalty=0.1, squares=True)
    found = np.array([model(row) for row in _rows(values)])
    assert found.mean() == pytest.approx(shares.mean(), abs=1e-4)
    assert np.corrcoef(found, shares)[0, 1] > 0.95
    assert model.squares[0] < -1


def test_the_scaling_undoes_what_was_done_to_the_logits() -> None:
    logits = RNG.normal(scale=1.5, size=60_000)
    truth = RNG.random(60_000) < 1 / (1 + np.exp(-logits))
    counts = LogitCounts()
    for part in (slice(0, 20_000), slice(20_000, None)):
        counts.add(expit(2.5 * (logits[part] + 0.8)), truth[part])
    assert counts.best_scaling() == pytest.approx((2.5, -0.8), abs=0.1)
    plain = LogisticRegression(C=1e9, tol=1e-9)
    plain.fit(2.5 * (logits[:, None] + 0.8), truth)
    expected = (1 / plain.coef_[0, 0], plain.intercept_[0])
    assert counts.best_scaling() == pytest.approx(expected, abs=2e-3)


def test_the_cross_entropy_is_that_of_the_pixels() -> None:
    counts = LogitCounts()
    counts.add(np.array([0.5, 0.5]), np.array([True, False]))
    assert counts.cross_entropy(3.0, 0.0) == pytest.approx(np.log(2))
    expected = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(2.0))) / 2
    assert counts.cross_entropy(3.0, 2.0) == pytest.approx(expected)


def test_quality_is_judged_on_images_that_it_was_not_fitted_on() -> None:
    signal = RNG.normal(size=200)
    jaccards = 1 / (1 + np.exp(-1.5 - signal))
    rows = [
        {"entropy": float(RNG.random()), "clue": float(value), "noise": float(RNG.normal())}
        for value in signal
    ]
    groups = [f"group-{row // 2}" for row in range(200)]
    model = fit_quality(rows, jaccards.tolist(), groups)
    expected = np.array([model.jaccard(row) for row in rows])
    assert np.abs(expected - jaccards).mean() < 0.02
    assert (expected < model.review_below).mean() == pytest.approx(0.2, abs=0.02)
    caught, by_entropy = model.values["caught"], model.values["caught_by_entropy"]
    assert caught[1] <= caught[0] <= caught[2]
    assert caught[0] > by_entropy[0] + 0.2


def _kind(number: int, grey: float, presence: float) -> list[dict[str, float]]:
    noise = 0.1 * RNG.normal(size=(number, 2))
    return [{"presence": presence + a, "grey": grey + b} for a, b in noise]


def test_out_of_distribution_model_tells_the_kinds_apart_and_keeps_photographs() -> None:
    kinds = [
        _kind(900, grey, presence) for grey, presence in ((0, 1), (0, 1), (0, 1), (0, 0), (1, 1))
    ]
    model = fit_out_of_distribution(*map(Kind.ungrouped, kinds), threshold=0.4)
    assert model.values["plain"] > 0.95
    assert model.values["pictures"] > 0.95
    assert model.values["photographs"] < 0.1
    assert list(model.values) == ["photographs", "dark", "phantoms", "plain", "pictures"]
    assert model.threshold == 0.4
    assert find_refusal(model, {"presence": 1.0, "grey": 0.0}) is None
    assert find_refusal(model, {"presence": 0.0, "grey": 0.0}) == NO_LESION
    assert find_refusal(model, {"presence": 1.0, "grey": 1.0}) == NOT_DERMOSCOPIC


def test_hardly_a_photograph_is_refused_where_kinds_are_much_alike() -> None:
    photographs = _kind(1000, 0, 1)
    others = _kind(100, 0, 1), _kind(100, 0, 1), _kind(300, 0, 0.9), _kind(300, 0.1, 1)
    model = fit_out_of_distribution(*map(Kind.ungrouped, (photographs, *others)), threshold=0.5)
    refused = [find_refusal(model, entry) for entry in photographs]
    # 0.5 % and 1 %, rounded down to whole images.
    assert 1 <= refused.count(NOT_DERMOSCOPIC) <= 5
    assert 1 <= refused.count(NO_LESION) <= 10


def test_hardly_a_photograph_of_dark_skin_is_refused() -> None:
    # Between light skin and what is no photograph, so that a limit set by light skin refuses it.
    dark = _kind(1000, 0.7, 1)
    others = _kind(100, 0, 1), _kind(300, 0, 0), _kind(1000, 1, 1)
    kinds = [_kind(1000, 0, 1), dark, *others]
    model = fit_out_of_distribution(*map(Kind.ungrouped, kinds), threshold=0.5)
    refused = [find_refusal(model, entry) for entry in dark]
    assert 1 <= refused.count(NOT_DERMOSCOPIC) <= 5


def test_hardly_a_photograph_is_refused_of_those_that_it_was_not_fitted_on() -> None:
    shift = np.zeros(120)
    shift[0] = 2.0
    *kinds, unseen = (
        _rows(RNG.normal(size=(number, 120)) + moved)
        for number, moved in ((400, 0), (20, 0), (20, 0), (50, 8), (300, shift), (4000, 0))
    )
    model = fit_out_of_distribution(*map(Kind.ungrouped, kinds), threshold=0.5)
    refused = [find_refusal(model, entry) for entry in unseen]
    assert refused.count(NOT_DERMOSCOPIC) / len(unseen) < 0.02


def test_limits_are_set_by_models_of_four_fifths(monkeypatch: pytest.MonkeyPatch) -> None:
    num_fitted = []

    def fit(
        described: Sequence[Mapping[str, float]], targets: np.ndarray, **options: Any
    ) -> LinearModel:
        num_fitted.append(len(described))
        return fit_linear(described, targets, **options)

    monkeypatch.setattr("dermseg.calibration.out_of_distribution.fit_linear", fit)
    kinds = [
        _kind(100, grey, presence) for grey, presence in ((0, 1), (0, 1), (0, 1), (0, 0), (1, 1))
    ]
    groups = [f"group-{row}" for row in range(100)]
    # Dark images are of the photographs' groups: both are divided alike.
    fit_out_of_distribution(
        Kind(kinds[0], groups),
        Kind(kinds[1], groups),
        *map(Kind.ungrouped, kinds[2:]),
        threshold=0.5,
    )
    # Two models of 400 images, or of half of them, and five of four fifths for the limit of each.
    assert Counter(num_fitted) == {400: 2, 320: 10, 200: 2, 160: 10}


def test_parts_are_equal_and_tear_no_group_apart() -> None:
    groups = [f"group-{row // 3}" for row in range(60)]
    parts = divide_by_group(groups, 4)
    assert np.bincount(parts).tolist() == [15, 15, 15, 15]
    assert all(len({*parts[row : row + 3]}) == 1 for row in range(0, 60, 3))
