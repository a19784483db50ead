"""Images with rare classes are shown more often, in epochs of one length."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermseg.training.batches import EpochSampler
from dermseg.training.data import Key
from dermseg.training.repeat_factor import draw_turns, num_turns, repeat_factors


def test_factor_of_an_image_is_that_of_its_rarest_class() -> None:
    # Of 8 images, 4 show the first class and 1 the second: sqrt(0.5 / 0.5) and sqrt(0.5 / 0.125).
    shown = np.zeros((8, 3), np.bool_)
    shown[:4, 0] = True
    shown[0, 1] = True
    assert repeat_factors(shown, 0.5).tolist() == [2.0, 1, 1, 1, 1, 1, 1, 1]
    assert repeat_factors(shown, 0.25) == pytest.approx([math.sqrt(2), *[1] * 7])
    # The first class would be shown less often than once.
    assert repeat_factors(shown, 0.01).tolist() == [1.0] * 8


def test_whole_factors_are_kept_exactly() -> None:
    turns = draw_turns([1.0, 3.0, 2.0], np.random.default_rng(0))
    assert turns.tolist() == [1, 3, 2]


def test_fractions_come_true_on_average() -> None:
    repeats = [1.0, 1.5, 2.25, 1.25, 1.0]
    assert num_turns(repeats) == 7
    drawn = np.array([draw_turns(repeats, np.random.default_rng(seed)) for seed in range(4000)])
    assert np.all(drawn.sum(axis=1) == 7)
    # Fractions sum to 1, so each is the very probability of one turn more.
    assert drawn.mean(axis=0) == pytest.approx(repeats, abs=0.03)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1, 6), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_every_image_gets_its_factor_up_or_down(repeats: list[float], seed: int) -> None:
    turns = draw_turns(repeats, np.random.default_rng(seed))
    assert turns.sum() == num_turns(repeats)
    for turn, repeat in zip(turns.tolist(), repeats, strict=True):
        assert math.floor(repeat) <= turn <= math.floor(repeat) + 1


def sample_keys(epoch: int, repeats: list[float] | None, rank: int = 0, num: int = 1) -> list[Key]:
    return list(
        EpochSampler(
            4,
            seed=3,
            shuffle=True,
            find_epoch=lambda: epoch,
            rank=rank,
            num_processes=num,
            repeats=repeats,
        )
    )


def test_epochs_have_one_length_and_their_own_draws() -> None:
    repeats = [1.0, 1.6, 2.7, 1.0]
    sampler = EpochSampler(4, seed=3, shuffle=True, find_epoch=lambda: 0, repeats=repeats)
    epochs = [sample_keys(epoch, repeats) for epoch in range(6)]
    assert {len(keys) for keys in epochs} == {len(sampler)} == {6}
    assert epochs == [sample_keys(epoch, repeats) for epoch in range(6)]
    assert len({tuple(key.place for key in keys) for keys in epochs}) > 1
    for epoch, keys in enumerate(epochs):
        assert len(set(keys)) == 6
        assert {key.epoch for key in keys} == {epoch}
        for place in range(4):
            turns = sorted(key.turn for key in keys if key.place == place)
            assert turns == list(range(len(turns)))


def test_processes_share_the_epoch() -> None:
    repeats = [1.0, 1.6, 2.7, 1.0]
    shares = [sample_keys(2, repeats, rank, 3) for rank in range(3)]
    assert [len(keys) for keys in shares] == [2, 2, 2]
    assert {*shares[0], *shares[1], *shares[2]} == set(sample_keys(2, repeats))


def test_factors_of_one_change_nothing_but_the_order() -> None:
    assert sorted(sample_keys(1, [1.0] * 4)) == sorted(sample_keys(1, None))
