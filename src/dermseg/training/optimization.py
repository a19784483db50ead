"""Optimiser, learning rates of the network's parts over the steps, and averaged weights."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from dermseg.errors import RecipeError
from dermseg.recipes import Training

__all__ = ["average_weights", "create_optimizer", "create_schedule", "first_steps"]


def create_optimizer(
    named_parameters: Iterable[tuple[str, Parameter]],
    options: Training,
    *,
    lr_factors: Mapping[str, float] | None = None,
) -> Optimizer:
    """Build the optimiser, one group per learning-rate factor.

    Args:
        named_parameters: As the network names them, without any prefix.
        options: The recipe's training table.
        lr_factors: See `Recipe.lr_factors`; None takes those of the table.

    Raises:
        RecipeError: If a key of ``lr_factors`` fits no parameter.
    """
    parts = options.lr_factors if lr_factors is None else lr_factors
    groups: dict[str, list[Parameter]] = {}
    for name, parameter in named_parameters:
        groups.setdefault(_part(name, parts), []).append(parameter)
    unused = [part for part in parts if part not in groups]
    if unused:
        message = (
            f"training.lr_factors: no parameter's name starts with '{unused[0]}'; "
            "`dermseg networks NAME` shows the parts"
        )
        raise RecipeError(message)
    factors = {"": 1.0, **parts}
    rated = [
        {"params": parameters, "lr": options.lr * factors[part]}
        for part, parameters in groups.items()
    ]
    decay = options.weight_decay
    if options.optimizer == "sgd":
        return SGD(rated, lr=options.lr, momentum=options.momentum, weight_decay=decay)
    if options.optimizer == "rmsprop":
        return RMSprop(
            rated,
            lr=options.lr,
            alpha=options.smoothing,
            momentum=options.momentum,
            weight_decay=decay,
        )
    if options.optimizer == "adam":
        return Adam(rated, lr=options.lr, weight_decay=decay)
    return AdamW(rated, lr=options.lr, weight_decay=decay)


def create_schedule(optimizer: Optimizer, options: Training, *, num_steps: int) -> LRScheduler:
    """The learning rate's course, one value per optimiser step.

    Args:
        optimizer: Its groups keep their ratios.
        options: The recipe's training table.
        num_steps: Steps of the whole run.
    """
    if options.schedule == "one_cycle":
        peaks = [float(group["lr"]) for group in optimizer.param_groups]
        # Momentum is left alone: the recipe's value holds throughout.
        return OneCycleLR(optimizer, peaks, total_steps=num_steps, cycle_momentum=False)
    return LambdaLR(optimizer, _factor(options, num_steps))


def first_steps(options: Training, *, num_steps: int) -> list[int]:
    """The steps at which the learning rate's course begins, and that of the averaged weights.

    The first is 0; with ``restart_factor`` there is one more for each change of size.

    Args:
        options: The recipe's training table.
        num_steps: Steps of the whole run.
    """
    if options.restart_factor is None:
        return [0]
    steps_per_epoch = num_steps / options.epochs
    return [
        0,
        *(round(step.until_epoch * steps_per_epoch) for step in options.progressive_resizing),
    ]


def _factor(options: Training, num_steps: int) -> Callable[[int], float]:
    steps_per_epoch = num_steps / options.epochs
    num_warmup = round(options.warmup_epochs * steps_per_epoch)
    starts = first_steps(options, num_steps=num_steps)
    lengths = [end - start for start, end in pairwise([*starts, num_steps])]
    restart_factor = 1.0 if options.restart_factor is None else options.restart_factor

    def course(step: int, length: int) -> float:
        if step < num_warmup:
            return (step + 1) / num_warmup
        if options.schedule == "step":
            num_drops = int(step / steps_per_epoch) // options.step_epochs
            return float(options.step_factor**num_drops)
        if options.schedule == "cosine":
            progress = (step - num_warmup) / max(1, length - num_warmup)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        return 1.0

    def factor(step: int) -> float:
        number = bisect_right(starts, step) - 1
        return restart_factor**number * course(step - starts[number], lengths[number])

    return factor


def _part(name: str, factors: Iterable[str]) -> str:
    """The longest key that the name starts with, or the empty one."""
    return max((part for part in factors if name.startswith(part)), key=len, default="")


def average_weights(decay: float, *, warmup: bool, starts: Sequence[int] = (0,)) -> WeightAveraging:
    """A callback that keeps an exponential moving average of weights and buffers.

    Args:
        decay: Share of the old average that each step leaves, in (0, 1).
        warmup: Whether the first steps leave less, so that the random weights of the start are
            soon forgotten: step n leaves (1 + n) / (10 + n) while that is below ``decay``.
        starts: With ``warmup``, the steps at which n begins at 0, in order.
    """
    # Functions of the module with plain arguments, so that processes can be spawned.
    if not warmup:
        return WeightAveraging(avg_fn=partial(_fixed, decay=decay))
    return WeightAveraging(avg_fn=partial(_warmed_up, decay=decay, starts=tuple(starts)))


def _fixed(average: Tensor, current: Tensor, num_averaged: Tensor, *, decay: float) -> Tensor:
    return average * decay + current * (1 - decay)


def _warmed_up(
    average: Tensor, current: Tensor, num_averaged: Tensor, *, decay: float, starts: Sequence[int]
) -> Tensor:
    # Kept a tensor: a number would wait for the GPU at every parameter.
    since = num_averaged
    for start in starts:
        since = torch.where(num_averaged < start, since, num_averaged - start)
    kept = ((1 + since) / (10 + since)).clamp(max=decay)
    return average * kept + current * (1 - kept)
