from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from dermseg.evaluation.comparison import holm, letters, signed_ranks
from dermseg.evaluation.comparison.significance import mean_of_groups

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_signed_ranks_of_a_hand_computed_example() -> None:
    # Ranks 1 to 5, the 2 negative: W- = 2. Of 32 sign patterns, {}, {1} and {2} have a sum of at
    # most 2, and as many at the other end: 6 / 32.
    result = signed_ranks([1.0, -2.0, 3.0, 4.0, 5.0])
    assert result.p_value == 6 / 32
    assert result.balance == pytest.approx((13 - 2) / 15)


def test_zeros_take_ranks_but_no_side() -> None:
    # Ranks 1.5 and 1.5 for the zeros, 3, 4 and 5 for the others, all positive: of the 8 sign
    # patterns of these one is as extreme on either side.
    assert signed_ranks([0.0, 0.0, 1.0, 2.0, 3.0]).p_value == 2 / 8


def test_all_zero_differences_speak_for_nothing() -> None:
    result = signed_ranks(np.zeros(30))
    assert (result.p_value, result.balance) == (1.0, 0.0)


def test_one_difference_proves_nothing() -> None:
    assert signed_ranks([0.3]).p_value == 1.0


def test_swapping_the_models_turns_the_balance_only() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, 80)
    forwards, backwards = signed_ranks(values), signed_ranks(-values)
    assert forwards.p_value == pytest.approx(backwards.p_value)
    assert forwards.balance == pytest.approx(-backwards.balance)


def test_many_differences_with_zeros_follow_pratts_normal_approximation() -> None:
    values = np.random.default_rng(1).normal(0.2, 1, 120).round(1)
    ranks = rankdata(np.abs(values))
    kept = ranks[values != 0]
    # Under the null each rank has a sign of its own: mean sum / 2, variance sum of squares / 4.
    z = (ranks[values > 0].sum() - kept.sum() / 2) / np.sqrt((kept**2).sum() / 4)
    assert (values == 0).any()
    assert signed_ranks(values).p_value == pytest.approx(2 * norm.sf(abs(z)))


def test_few_differences_follow_all_sign_patterns() -> None:
    values = np.random.default_rng(2).normal(0.4, 1, 10)
    ranks = rankdata(np.abs(values))
    sums = np.array([np.dot(ranks, s) for s in itertools.product((0, 1), repeat=10)])
    observed = abs(ranks[values > 0].sum() - ranks.sum() / 2)
    expected = np.mean(np.abs(sums - ranks.sum() / 2) >= observed - 1e-9)
    assert signed_ranks(values).p_value == pytest.approx(expected)


def test_groups_are_averaged() -> None:
    means = mean_of_groups(np.array([1.0, 2.0, 6.0, 5.0]), ["b", "a", "b", "b"])
    assert means.tolist() == [2.0, 4.0]


def test_holm_of_a_hand_computed_example() -> None:
    # Sorted 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04; none may be
    # smaller than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_of_equal_and_of_large_p_values() -> None:
    assert holm([0.02, 0.02]) == [0.04, 0.04]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(P_VALUES)
def test_holm_is_the_largest_of_the_smaller_ones_scaled(p_values: list[float]) -> None:
    """The definition as a maximum, with no loop over ranks."""
    scaled = {p: min(1.0, p * sum(other >= p for other in p_values)) for p in p_values}
    expected = [max(scaled[q] for q in p_values if q <= p) for p in p_values]
    assert holm(p_values) == pytest.approx(expected, abs=1e-12)


@given(P_VALUES)
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float]) -> None:
    """Holm's own words: go on as long as the k-th smallest is at most level / (m - k + 1)."""
    level, rejected = 0.05, set()
    for k, position in enumerate(np.argsort(p_values, kind="stable").tolist()):
        if p_values[position] > level / (len(p_values) - k):
            break
        rejected.add(position)
    adjusted = holm(p_values)
    near = [abs(value - level) < 1e-9 for value in adjusted]
    found = {position for position, value in enumerate(adjusted) if value <= level}
    assert any(near) or found == rejected


@pytest.mark.parametrize(
    ("num_items", "apart", "expected"),
    [
        (2, [], ["a", "a"]),
        (2, [(1, 0)], ["a", "b"]),
        (3, [(0, 2)], ["a", "ab", "b"]),
        (3, [(0, 1), (0, 2), (1, 2)], ["a", "b", "c"]),
        # The middle one is told apart from its neighbours, and these not from each other.
        (3, [(0, 1), (1, 2)], ["a", "b", "a"]),
        # Piepho's kind of overlap: 0 1 2, 1 2 3.
        (4, [(0, 3)], ["a", "ab", "ab", "b"]),
    ],
)
def test_letters_of_small_examples(
    num_items: int, apart: list[tuple[int, int]], expected: list[str]
) -> None:
    assert letters(num_items, apart) == expected


@given(st.integers(2, 7), st.data())
def test_items_share_a_letter_exactly_if_they_are_not_told_apart(
    num_items: int, data: st.DataObject
) -> None:
    pairs = list(itertools.combinations(range(num_items), 2))
    apart = data.draw(st.sets(st.sampled_from(pairs)))
    marks = letters(num_items, apart)
    for first, second in pairs:
        assert bool(set(marks[first]) & set(marks[second])) == ((first, second) not in apart)


def test_more_than_26_sets_have_letters_of_their_own() -> None:
    marks = letters(28, list(itertools.combinations(range(28), 2)))
    assert (marks[25], marks[26], marks[27]) == ("z", "a1", "b1")
