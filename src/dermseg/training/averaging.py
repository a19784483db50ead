"""The running average of the weights, which is judged and kept instead of the last step's."""

from __future__ import annotations

from functools import partial

from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

__all__ = ["average_weights"]


def average_weights(decay: float, *, warmup: bool) -> WeightAveraging:
    """A callback that keeps an exponential moving average of weights and buffers.

    Args:
        decay: Share of the old average that each step leaves, in (0, 1).
        warmup: Whether the first steps leave less, so that the random weights of the start are
            soon forgotten: step n leaves (1 + n) / (10 + n) while that is below ``decay``.
    """
    # Functions of the module with plain arguments, so that processes can be spawned.
    return WeightAveraging(avg_fn=partial(_warmed_up if warmup else _fixed, decay=decay))


def _fixed(average: Tensor, current: Tensor, num_averaged: Tensor, *, decay: float) -> Tensor:
    return average * decay + current * (1 - decay)


def _warmed_up(average: Tensor, current: Tensor, num_averaged: Tensor, *, decay: float) -> Tensor:
    # Kept a tensor: a number would wait for the GPU at every parameter.
    kept = ((1 + num_averaged) / (10 + num_averaged)).clamp(max=decay)
    return average * kept + current * (1 - kept)
