"""The average of the weights, against sums written out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from dermseg.training.optimization import average_weights


def average_of(
    values: list[float], decay: float, *, warmup: bool, starts: Sequence[int] = (0,)
) -> list[float]:
    """The average after each step of a weight that takes these values."""
    callback = average_weights(decay, warmup=warmup, starts=starts)
    model = nn.Linear(1, 1, bias=False)
    averaged = AveragedModel(model, **callback._kwargs)
    found = []
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
        averaged.update_parameters(model)
        found.append(next(averaged.parameters()).item())
    return found


def test_the_first_step_is_taken_whole_and_then_a_fixed_share() -> None:
    found = average_of([1.0, 3.0, 3.0], 0.9, warmup=False)
    assert found == pytest.approx([1.0, 0.9 + 0.3, 0.9 * 1.2 + 0.3])


def test_warm_up_keeps_two_elevenths_then_three_twelfths() -> None:
    found = average_of([1.0, 3.0, 3.0], 0.9, warmup=True)
    second = 1.0 * 2 / 11 + 3.0 * 9 / 11
    assert found == pytest.approx([1.0, second, second * 3 / 12 + 3.0 * 9 / 12])


def test_warm_up_begins_anew_where_it_is_told_to() -> None:
    found = average_of([1.0] * 20 + [3.0, 3.0, 3.0], 0.9, warmup=True, starts=[0, 20])
    first = 1.0 / 10 + 3.0 * 9 / 10
    second = first * 2 / 11 + 3.0 * 9 / 11
    third = second * 3 / 12 + 3.0 * 9 / 12
    assert found[19:] == pytest.approx([1.0, first, second, third])


def test_warm_up_ends_where_it_reaches_the_decay() -> None:
    # (1 + n) / (10 + n) = 0.5 at n = 8.
    found = average_of([0.0] * 8 + [1.0, 1.0, 1.0], 0.5, warmup=True)
    assert found[8:] == pytest.approx([0.5, 0.75, 0.875])


def test_after_one_short_epoch_the_start_is_forgotten_only_with_warm_up() -> None:
    values = [1.0] + [0.0] * 111
    assert average_of(values, 0.998, warmup=False)[-1] > 0.8
    assert average_of(values, 0.998, warmup=True)[-1] < 1e-6
