"""How sure a model is that an image shows a class, wherever in it: one number per class."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from dermseg.types import BoolMask, FloatArray

__all__ = ["PRESENCE_SHARE", "describe_presence", "presence_score"]

PRESENCE_SHARE: Final = 0.02
"""Share of the pixels that decide whether a class is shown: those of the highest probability."""

_PEAK_SHARE: Final = 0.002
_TINY: Final = 1e-4


def presence_score(probability: FloatArray, inside: BoolMask | None = None) -> float:
    """Mean of the highest 2 % of the probabilities of a class, in [0, 1].

    Neither one pixel alone decides, as it would with the highest probability, nor how much of the
    lesion the class covers, as it would with the mean. It ranks images; it is no probability.

    Args:
        probability: (H, W) float in [0, 1], at the network's size.
        inside: (H, W) bool, the pixels that count; None takes all. Where it is empty, the score
            is 0.

    Example:
        >>> presence_score(np.array([[0.25, 0.75], [0.5, 0.0]]))
        0.75
    """
    return _mean_of_highest(_inside(probability, inside), PRESENCE_SHARE)


def describe_presence(probability: FloatArray, inside: BoolMask | None = None) -> dict[str, float]:
    """Measure what tells images that show a class from others.

    Args:
        probability: As for `presence_score`.
        inside: Likewise.

    Returns:
        The logits of three means of the class's probabilities: ``peak`` of the highest 0.2 %,
        ``top`` of the highest 2 %, and ``mean`` of all.
    """
    values = _inside(probability, inside)
    return {
        "peak": _logit(_mean_of_highest(values, _PEAK_SHARE)),
        "top": _logit(_mean_of_highest(values, PRESENCE_SHARE)),
        "mean": _logit(_mean_of_highest(values, 1.0)),
    }


def _inside(probability: FloatArray, inside: BoolMask | None) -> FloatArray:
    return probability.ravel() if inside is None else probability[inside]


def _mean_of_highest(values: FloatArray, share: float) -> float:
    if not values.size:
        return 0.0
    num = math.ceil(share * values.size)
    return float(np.partition(values, -num)[-num:].mean(dtype=np.float64))


def _logit(probability: float) -> float:
    bounded = min(max(probability, _TINY), 1 - _TINY)
    return math.log(bounded / (1 - bounded))
