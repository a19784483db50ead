from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dermseg.datasets.apportionment import apportion
from dermseg.errors import DatasetError

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}


def groups_of(sizes: list[int]) -> dict[str, str]:
    return {
        f"image{group}.{number}": f"group{group}"
        for group, size in enumerate(sizes)
        for number in range(size)
    }


def as_fractions(shares: list[int]) -> dict[str, float]:
    return {str(part): share / sum(shares) for part, share in enumerate(shares)}


def sizes_of(parts: dict[str, tuple[str, ...]]) -> list[int]:
    return [len(ids) for ids in parts.values()]


def test_single_images_are_divided_exactly() -> None:
    assert sizes_of(apportion(groups_of([1] * 2000), FRACTIONS, seed=0)) == [1600, 200, 200]


def test_small_groups_even_out_what_large_ones_left() -> None:
    sizes = [6] * 5 + [4] * 30 + [2] * 100 + [1] * 300  # the proportions of HAM10000
    assert sizes_of(apportion(groups_of(sizes), FRACTIONS, seed=0)) == [520, 65, 65]


def test_every_part_gets_its_share_of_large_groups() -> None:
    sizes = [5] * 100 + [1] * 100
    parts = apportion(groups_of(sizes), FRACTIONS, seed=0)
    large = {
        part: sum(int(id[5:].split(".")[0]) < 100 for id in ids) for part, ids in parts.items()
    }
    assert large == {"train": 400, "validation": 50, "test": 50}


def test_one_group_that_fills_a_part_leaves_the_others_their_share() -> None:
    assert sizes_of(apportion(groups_of([8, 1, 1]), FRACTIONS, seed=0)) == [8, 1, 1]


def test_as_many_groups_as_parts_fill_every_part() -> None:
    assert sizes_of(apportion(groups_of([5, 5, 5]), FRACTIONS, seed=0)) == [5, 5, 5]


def test_the_choice_is_the_same_on_every_machine() -> None:
    groups = {letter: letter for letter in "abcdefghij"}
    assert apportion(groups, FRACTIONS, seed=1) == {
        "train": ("b", "c", "d", "f", "g", "h", "i", "j"),
        "validation": ("a",),
        "test": ("e",),
    }


def test_the_order_of_the_images_does_not_matter() -> None:
    groups = groups_of([3, 2, 2, 1, 1, 1, 1])
    backwards = dict(reversed(groups.items()))
    assert apportion(groups, FRACTIONS, seed=3) == apportion(backwards, FRACTIONS, seed=3)


def test_every_image_gets_its_chance_to_be_tested() -> None:
    groups = groups_of([1] * 20)
    drawn = Counter(
        itertools.chain.from_iterable(
            apportion(groups, FRACTIONS, seed=seed)["test"] for seed in range(1000)
        )
    )
    assert drawn.total() == 2000
    assert len(drawn) == 20
    # 100 are expected for each; five standard deviations of a binomial are 47.
    assert all(53 < num < 147 for num in drawn.values())


@pytest.mark.parametrize(
    "fractions",
    [{}, {"train": 0.8, "test": 0.1}, {"train": 1.0, "test": 0.0}, {"a": 1.2, "b": -0.2}],
)
def test_fractions_that_are_no_shares_of_a_whole_are_refused(fractions: dict[str, float]) -> None:
    with pytest.raises(DatasetError, match="sum to 1; received"):
        apportion(groups_of([1] * 10), fractions, seed=0)


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(DatasetError, match="6 images in 2 groups cannot fill 3 parts"):
        apportion(groups_of([3, 3]), FRACTIONS, seed=0)


@given(
    sizes=st.lists(st.integers(1, 6), min_size=3, max_size=40),
    shares=st.lists(st.integers(1, 10), min_size=1, max_size=3),
    seed=st.integers(),
)
def test_any_groups_are_divided_whole_and_completely(
    sizes: list[int], shares: list[int], seed: int
) -> None:
    groups = groups_of(sizes)
    parts = apportion(groups, as_fractions(shares), seed=seed)
    assert sorted(itertools.chain.from_iterable(parts.values())) == sorted(groups)
    owners = [{groups[id] for id in ids} for ids in parts.values()]
    assert all(owners)
    assert sum(map(len, owners)) == len(sizes)


@given(
    sizes=st.lists(st.integers(2, 6), max_size=40),
    shares=st.lists(st.integers(1, 10), min_size=1, max_size=3),
)
def test_some_single_images_are_enough_to_meet_the_fractions(
    sizes: list[int], shares: list[int]
) -> None:
    groups = groups_of([*sizes, *[1] * 30])
    fractions = as_fractions(shares)
    for part, ids in apportion(groups, fractions, seed=0).items():
        assert abs(len(ids) - fractions[part] * len(groups)) <= 1
