"""Divide images into parts, to judge each by what was fitted on the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["divide"]


def divide(groups: Sequence[str], num_parts: int) -> NDArray[np.int64]:
    """The part of each image, (images,) from 0; all images of a group are in one part.

    The groups are shuffled, always in the same way, and the parts have the same number of them.
    """
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names)) % num_parts
    part = dict(zip(names, order.tolist(), strict=True))
    return np.array([part[group] for group in groups])
