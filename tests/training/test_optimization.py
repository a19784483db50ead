"""Optimisers, the learning rates of parts, and schedules, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from dermseg.errors import RecipeError
from dermseg.recipes import Training
from dermseg.training.optimization import create_optimizer, create_schedule, first_steps


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(2, 2)
        self.decoder = nn.Linear(2, 1)


def options(**values: object) -> Training:
    return Training.model_validate({"epochs": 4, "batch_size": 2, "lr": 0.1, **values})


def rates(values: Training, num_steps: int) -> list[float]:
    optimizer = create_optimizer(Parts().named_parameters(), values)
    schedule = create_schedule(optimizer, values, num_steps=num_steps)
    course = []
    for _ in range(num_steps):
        course.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return course


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("rmsprop", torch.optim.RMSprop),
        ("sgd", torch.optim.SGD),
    ],
)
def test_each_optimiser_is_built_with_its_options(name: str, kind: type) -> None:
    optimizer = create_optimizer(
        Parts().named_parameters(), options(optimizer=name, weight_decay=0.01)
    )
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["weight_decay"] == 0.01


def test_momentum_reaches_sgd_and_is_refused_for_adam() -> None:
    sgd = create_optimizer(Parts().named_parameters(), options(optimizer="sgd", momentum=0.9))
    assert sgd.param_groups[0]["momentum"] == 0.9
    with pytest.raises(ValueError, match="momentum is for sgd and rmsprop"):
        options(optimizer="adam", momentum=0.9)


def test_parts_get_their_own_rates_and_the_longest_key_counts() -> None:
    factors = {"encoder.": 0.1, "encoder.bias": 0.0}
    network = Parts()
    optimizer = create_optimizer(network.named_parameters(), options(lr_factors=factors))
    rate = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert rate[id(network.encoder.weight)] == pytest.approx(0.01)
    assert rate[id(network.encoder.bias)] == 0
    assert rate[id(network.decoder.weight)] == pytest.approx(0.1)


def test_a_part_that_is_not_there_is_named() -> None:
    with pytest.raises(RecipeError, match="'head'"):
        create_optimizer(Parts().named_parameters(), options(lr_factors={"head": 0.1}))


def test_constant_stays() -> None:
    assert rates(options(), 8) == [0.1] * 8


def test_warm_up_climbs_then_holds() -> None:
    course = rates(options(warmup_epochs=2), 8)
    assert course == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1])


def test_step_drops_every_given_epochs() -> None:
    course = rates(options(schedule="step", step_epochs=2, step_factor=0.5), 8)
    assert course == pytest.approx([0.1] * 4 + [0.05] * 4)


def test_cosine_falls_to_nothing_by_half_at_half() -> None:
    course = rates(options(schedule="cosine"), 8)
    assert course[0] == pytest.approx(0.1)
    assert course[4] == pytest.approx(0.05)
    assert course == sorted(course, reverse=True)
    assert course[-1] < 0.005


def test_cosine_begins_anew_at_each_size() -> None:
    sizes = [{"until_epoch": end, "size": [side, side]} for end, side in ((1, 8), (3, 16))]
    values = options(
        schedule="cosine", warmup_epochs=0.5, progressive_resizing=sizes, restart_factor=0.5
    )
    course = rates(values, 16)
    # Each: two steps of warm-up, then half a cosine; of 4, 8 and 4 steps.
    short = [0.05, 0.1, 0.1, 0.05]
    long = [0.05, 0.1, *(0.05 * (1 + math.cos(math.pi * n / 6)) for n in range(6))]
    expected = [*short, *(0.5 * rate for rate in long), *(0.25 * rate for rate in short)]
    assert course == pytest.approx(expected)
    assert first_steps(values, num_steps=16) == [0, 4, 12]


def test_nothing_begins_anew_unless_asked_for() -> None:
    sizes = [{"until_epoch": 2, "size": [8, 8]}]
    values = options(schedule="cosine", progressive_resizing=sizes)
    assert rates(values, 8) == rates(options(schedule="cosine"), 8)
    assert first_steps(values, num_steps=8) == [0]


def test_one_cycle_climbs_and_falls() -> None:
    course = rates(options(schedule="one_cycle"), 20)
    assert course[0] == pytest.approx(0.1 / 25)
    assert max(course) == pytest.approx(0.1, rel=0.02)
    assert 4 <= course.index(max(course)) <= 7
    assert course[-1] < 1e-4
    with pytest.raises(ValueError, match="one_cycle has its own warm-up"):
        options(schedule="one_cycle", warmup_epochs=1)
