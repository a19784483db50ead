from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dermseg.evaluation import (
    Interval,
    bootstrap_interval,
    bootstrap_means,
    bootstrap_weighted,
)

SCORES = np.random.default_rng(0).beta(8, 2, size=200)


def test_the_value_is_the_mean() -> None:
    assert bootstrap_interval([0.0, 0.5, 1.0, 0.7]).value == 0.55


def test_the_interval_is_that_of_resampled_means() -> None:
    rng = np.random.default_rng(1)
    means = rng.choice(SCORES, (20_000, 200)).mean(axis=1)
    interval = bootstrap_interval(SCORES)
    assert [interval.low, interval.high] == pytest.approx(
        np.quantile(means, [0.025, 0.975]), abs=1e-3
    )


def test_the_interval_has_the_width_that_theory_gives() -> None:
    half = 1.96 * SCORES.std(ddof=1) / math.sqrt(200)
    interval = bootstrap_interval(SCORES)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.05)


def test_more_confidence_is_a_wider_interval() -> None:
    narrow, wide = (bootstrap_interval(SCORES, confidence=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval() -> None:
    assert bootstrap_interval(SCORES, seed=1) == bootstrap_interval(SCORES, seed=1)
    assert bootstrap_interval(SCORES, seed=1) != bootstrap_interval(SCORES, seed=2)


def test_a_batch_at_a_time_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_interval(SCORES)
    monkeypatch.setattr("dermseg.evaluation.intervals._BATCH_VALUES", 100_000)
    parts = bootstrap_interval(SCORES)
    assert [parts.low, parts.high] == pytest.approx([whole.low, whole.high], abs=1e-12)


def test_images_of_the_same_group_do_not_count_twice() -> None:
    groups = [str(number // 4) for number in range(200)]
    repeated = np.repeat(SCORES[:50], 4)
    grouped = bootstrap_interval(repeated, groups=groups)
    single = bootstrap_interval(SCORES[:50])
    assert grouped.value == pytest.approx(single.value)
    assert grouped.low == pytest.approx(single.low, abs=2e-3)
    assert grouped.high == pytest.approx(single.high, abs=2e-3)
    assert bootstrap_interval(repeated).low > grouped.low + 5e-3


def test_groups_of_unequal_size_keep_the_mean_over_images() -> None:
    interval = bootstrap_interval([1.0, 0.0, 0.0, 0.0], groups=["a", "b", "b", "b"])
    # Four draws of two groups: a a, a b, b a, b b.
    assert interval == Interval(value=0.25, low=0.0, high=1.0)


def test_the_order_of_grouped_images_does_not_matter() -> None:
    groups = [f"g{number % 30}" for number in range(200)]
    backwards = bootstrap_interval(SCORES[::-1], groups=groups[::-1])
    forwards = bootstrap_interval(SCORES, groups=groups)
    assert backwards.low == pytest.approx(forwards.low, abs=1e-12)


@pytest.mark.parametrize("groups", [None, ["same"]])
def test_one_image_has_an_interval_without_width(groups: list[str] | None) -> None:
    assert bootstrap_interval([0.8], groups=groups) == Interval(0.8, 0.8, 0.8)


def test_images_of_a_single_group_have_an_interval_without_width() -> None:
    assert bootstrap_interval([0.5, 1.0], groups=["a", "a"]) == Interval(0.75, 0.75, 0.75)


def test_equal_scores_have_an_interval_without_width() -> None:
    assert bootstrap_interval([1.0, 1.0, 1.0]) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [[0.5]], [math.inf]])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="expected finite values"):
        bootstrap_interval(values)


def test_groups_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="3 images have 2 groups"):
        bootstrap_interval([0.1, 0.2, 0.3], groups=["a", "b"])


def pooled(
    counts: NDArray[np.float64], *, groups: list[str] | None = None, seed: int = 0
) -> Interval:
    """The interval of the ratio of two sums over images, (N, 2)."""

    def ratio(times: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = times @ counts
        return np.stack([sums[:, 0] / sums[:, 1]])

    (interval,) = bootstrap_weighted(ratio, len(counts), groups=groups, seed=seed)
    assert interval is not None
    return interval


def test_a_pooled_figure_is_that_of_the_sums() -> None:
    counts = np.array([[1.0, 2.0], [30.0, 40.0]])
    assert pooled(counts).value == 31 / 42
    # Two images can be drawn as either one twice, or as both.
    interval = pooled(counts)
    assert (interval.low, interval.high) == (0.5, 0.75)


def test_the_pooled_interval_is_that_of_a_loop_over_resamples() -> None:
    generator = np.random.default_rng(0)
    union = generator.integers(50, 500, 60).astype(np.float64)
    counts = np.stack([union * generator.random(60), union], axis=1)
    figures = []
    for _ in range(4000):
        intersection, total = counts[generator.integers(0, 60, 60)].sum(axis=0)
        figures.append(intersection / total)
    interval = pooled(counts)
    expected = np.percentile(figures, [2.5, 97.5])
    assert [interval.low, interval.high] == pytest.approx(expected, abs=0.01)
    assert interval.high - interval.low > 0.1


def test_pooled_images_of_a_group_are_drawn_together() -> None:
    counts = np.random.default_rng(1).random((30, 2)) + np.array([0, 1])
    once = pooled(counts)
    names = [str(number) for number in range(30)] * 3
    thrice = pooled(np.tile(counts, (3, 1)), groups=names)
    assert thrice.value == pytest.approx(once.value)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.05)
    apart = pooled(np.tile(counts, (3, 1)))
    assert apart.high - apart.low < 0.7 * (once.high - once.low)


def test_a_single_pooled_image_or_group_has_an_interval_without_width() -> None:
    counts = np.array([[1.0, 2.0], [3.0, 4.0]])
    alone = pooled(counts[:1])
    assert (alone.low, alone.value, alone.high) == (0.5, 0.5, 0.5)
    grouped = pooled(counts, groups=["a", "a"])
    assert grouped.low == grouped.high == grouped.value == 4 / 6


def test_the_same_seed_gives_the_same_pooled_interval() -> None:
    counts = np.random.default_rng(2).random((20, 2)) + np.array([0, 1])
    first, again, other = (pooled(counts, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first.value == other.value
    assert first != other


@pytest.mark.parametrize("groups", [None, [f"g{number % 30}" for number in range(200)]])
@pytest.mark.parametrize("batch", [4_000_000, 100_000])
def test_many_scores_at_once_get_the_intervals_of_each(
    groups: list[str] | None, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.stack([SCORES, SCORES**2, SCORES - SCORES[::-1]])
    monkeypatch.setattr("dermseg.evaluation.intervals._BATCH_VALUES", batch)
    found = bootstrap_means(values, groups=groups, seed=3)
    for row, interval in zip(values, found, strict=True):
        expected = bootstrap_interval(row, groups=groups, seed=3)
        assert interval is not None
        assert [interval.value, interval.low, interval.high] == pytest.approx(
            [expected.value, expected.low, expected.high], abs=1e-12
        )


def test_a_mean_is_over_the_images_that_have_the_score() -> None:
    values = np.stack([SCORES, SCORES, np.full(200, np.nan)])
    values[1, ::3] = np.nan
    groups = [f"g{number // 4}" for number in range(200)]
    whole, part, never = bootstrap_means(values, groups=groups, seed=1)
    kept = ~np.isnan(values[1])
    of_kept = [group for group, is_kept in zip(groups, kept, strict=True) if is_kept]
    assert whole == bootstrap_interval(SCORES, groups=groups, seed=1)
    assert part == bootstrap_interval(SCORES[kept], groups=of_kept, seed=1)
    assert never is None


def test_many_scores_of_one_image_or_group_have_intervals_without_width() -> None:
    alone = bootstrap_means(np.array([[0.8], [0.1]]))
    assert alone == [Interval(0.8, 0.8, 0.8), Interval(0.1, 0.1, 0.1)]
    together = bootstrap_means(np.array([[0.5, 1.0]]), groups=["a", "a"])
    assert together == [Interval(0.75, 0.75, 0.75)]


def test_groups_of_another_number_than_images_are_refused() -> None:
    with pytest.raises(ValueError, match="3 images have 2 groups"):
        bootstrap_means(np.array([[0.1, 0.2, 0.3]]), groups=["a", "b"])
    with pytest.raises(ValueError, match="0 images have 0 groups"):
        bootstrap_means(np.zeros((2, 0)))


def test_weighted_images_give_the_interval_of_their_mean() -> None:
    def mean(times: NDArray[np.float64]) -> NDArray[np.float64]:
        means = times @ SCORES / times.sum(axis=1)
        return np.stack([means, -means])

    one, other = bootstrap_weighted(mean, len(SCORES))
    expected = bootstrap_interval(SCORES)
    assert one is not None
    assert other is not None
    assert one.value == pytest.approx(expected.value)
    assert [one.low, one.high] == pytest.approx([expected.low, expected.high], abs=1e-12)
    # The same draws for both, so that differences are paired.
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


def test_weighted_images_are_drawn_as_whole_groups() -> None:
    groups = [str(number // 2) for number in range(200)]
    seen = []

    def note(times: NDArray[np.float64]) -> NDArray[np.float64]:
        seen.append(times)
        return np.stack([times.sum(axis=1)])

    bootstrap_weighted(note, 200, groups=groups, num_resamples=50)
    times = np.concatenate(seen[1:])
    assert times.shape == (50, 200)
    assert (times[:, ::2] == times[:, 1::2]).all()
    assert (times.sum(axis=1) == 200).all()


def test_draws_without_the_figure_do_not_count() -> None:
    def share(times: NDArray[np.float64]) -> NDArray[np.float64]:
        never = np.full(len(times), np.nan)
        return np.stack([np.where(times[:, 0] > 0, 0.5, np.nan), never])

    defined, undefined = bootstrap_weighted(share, 4)
    assert defined == Interval(0.5, 0.5, 0.5)
    assert undefined is None


def test_a_number_of_groups_that_is_not_that_of_the_images_is_refused() -> None:
    with pytest.raises(ValueError, match="3 images have 2 groups"):
        bootstrap_weighted(lambda times: times.T, 3, groups=["a", "b"])
