"""Significance of differences: a paired test, and a correction for many tests."""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata, wilcoxon

__all__ = ["SignedRanks", "holm", "letters", "mean_of_groups", "signed_ranks"]


@dataclass(frozen=True)
class SignedRanks:
    """The result of a Wilcoxon signed-rank test.

    Attributes:
        p_value: Two-sided, uncorrected.
        balance: Ranks of the positive minus those of the negative differences, as a share of
            both, in [-1, 1]: the matched-pairs rank-biserial correlation (Kerby 2014,
            doi:10.2466/11.IT.3.1). 0 where all differences are zero.
    """

    p_value: float
    balance: float


def signed_ranks(differences: ArrayLike) -> SignedRanks:
    """Wilcoxon signed-rank test of paired differences, two-sided.

    Differences of zero get ranks, which then count for neither side (Pratt): dropping them before,
    as Wilcoxon did, makes two models that mostly agree look more different than they are. The
    p-value is exact up to 50 differences without zeros and ties and up to 13 with them, else that
    of the normal approximation. If all differences are zero, nothing speaks for a difference and
    the p-value is 1.

    Args:
        differences: Finite, (N,) with N >= 1.

    References:
        Wilcoxon (1945), doi:10.2307/3001968. Pratt (1959), doi:10.1080/01621459.1959.10501526.

    Example:
        >>> signed_ranks([1.0, 2.0, 3.0, 4.0, 5.0])
        SignedRanks(p_value=0.0625, balance=1.0)
        >>> signed_ranks([0.0, 0.0])
        SignedRanks(p_value=1.0, balance=0.0)
    """
    values = np.asarray(differences, np.float64)
    if not values.any():
        return SignedRanks(1.0, 0.0)
    ranks = rankdata(np.abs(values))
    positive, negative = ranks[values > 0].sum(), ranks[values < 0].sum()
    p_value = wilcoxon(values, zero_method="pratt").pvalue
    return SignedRanks(float(p_value), float((positive - negative) / (positive + negative)))


def mean_of_groups(values: NDArray[np.float64], groups: Sequence[str]) -> NDArray[np.float64]:
    """Average (N,) values within each group: images of one lesion are not independent.

    Returns:
        One value per group, sorted by the groups' names.
    """
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    return np.asarray(np.bincount(index, weights=values) / np.bincount(index))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, in the order given.

    Where those below 0.05 are called significant, the chance of calling at least one difference
    significant that is not there stays below 0.05, however the tests depend on each other.

    References:
        Holm (1979), A simple sequentially rejective multiple test procedure,
        https://www.jstor.org/stable/4615733.

    Example:
        >>> holm([0.03, 0.01, 0.5])
        [0.06, 0.03, 0.5]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = largest
    return adjusted


def letters(num_items: int, told_apart: Collection[tuple[int, int]]) -> list[str]:
    """Give letters to items so that two share one exactly if they cannot be told apart.

    Args:
        num_items: The items are 0, 1 and so on, best first.
        told_apart: Pairs of items, in either order.

    Returns:
        For each item one or more letters, ``a`` for the set that the first item is in; from the
        27th set on ``a1``, ``b1`` and so on.

    References:
        Piepho (2004), An algorithm for a letter-based representation of all-pairwise comparisons,
        doi:10.1198/1061860043515.

    Example:
        >>> letters(3, [(0, 2)])
        ['a', 'ab', 'b']
    """
    sets = [frozenset(range(num_items))]
    for pair in told_apart:
        split = {
            part
            for members in sets
            for part in ([members - {item} for item in pair] if members >= {*pair} else [members])
        }
        sets = [part for part in split if not any(part < other for other in split)]
    sets.sort(key=sorted)
    return [
        "".join(_letter(number) for number, members in enumerate(sets) if item in members)
        for item in range(num_items)
    ]


def _letter(number: int) -> str:
    turn, place = divmod(number, 26)
    return string.ascii_lowercase[place] + (str(turn) if turn else "")
