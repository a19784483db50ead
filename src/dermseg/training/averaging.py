"""The running average of the weights, which is judged and kept instead of the last step's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

__all__ = ["average_weights"]


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
