"""What a network is to answer: where each class is, where it is not, and what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dermseg.losses import SOMEWHERE, UNKNOWN
from dermseg.types import BoolMask, MaskStack

__all__ = ["create_target"]


def create_target(
    classes: Sequence[str],
    masks: MaskStack,
    known: NDArray[np.bool_],
    *,
    presence: Mapping[str, bool],
    inside: BoolMask | None = None,
) -> NDArray[np.float32]:
    """Make the target of one image.

    Args:
        classes: C names.
        masks: (C, H, W) bool, in their order.
        known: (C,) bool, whether a mask says anything.
        presence: Of classes whose mask is not known, whether the image shows them.
        inside: (H, W) bool, the lesion; None learns from the whole image.

    Returns:
        (C, H, W) float32: 1 in the class, 0 not in it, ``SOMEWHERE`` in every pixel of a class that
        is in the image, but nobody knows where, ``UNKNOWN`` where nothing is known, and outside
        the lesion if that is given.
    """
    target = masks.astype(np.float32)
    for place, name in enumerate(classes):
        if not known[place]:
            target[place] = _weak_value(presence.get(name))
    if inside is not None:
        target[:, ~inside] = UNKNOWN
    return target


def _weak_value(present: bool | None) -> float:  # noqa: FBT001 - a label, not a switch
    if present is None:
        return UNKNOWN
    return SOMEWHERE if present else 0.0
