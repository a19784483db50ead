"""How sure a model is that an image shows a class, wherever in it: one number per class."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from dermseg.types import BoolMask, FloatArray

__all__ = ["PRESENCE_SHARE", "presence_score"]

PRESENCE_SHARE: Final = 0.02
"""Share of the pixels that decide whether a class is shown: those of the highest probability."""


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
    values = probability.ravel() if inside is None else probability[inside]
    if not values.size:
        return 0.0
    num = math.ceil(PRESENCE_SHARE * values.size)
    return float(np.partition(values, -num)[-num:].mean(dtype=np.float64))
