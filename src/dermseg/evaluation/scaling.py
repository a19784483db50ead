"""Confusion counts of masks at another size."""

from __future__ import annotations

import cv2
import numpy as np

from dermseg.evaluation.protocols import Scaling
from dermseg.metrics import ConfusionCounts, confusion_counts
from dermseg.preprocessing import resize_mask
from dermseg.types import BoolMask

__all__ = ["scale_mask", "scaled_counts"]

_FLAGS = {"nearest": cv2.INTER_NEAREST, "nearest_centre": cv2.INTER_NEAREST_EXACT}


def scaled_counts(
    prediction: BoolMask, target: BoolMask, scaling: Scaling, *, lesion: BoolMask | None = None
) -> ConfusionCounts:
    """Resize both masks, (H, W) bool, and count.

    Args:
        prediction: (H, W) bool.
        target: The same size.
        scaling: To which size; says, too, whether both are cleared outside the lesion before.
        lesion: The true lesion in the same size; None clears nothing.
    """
    if scaling.inside_lesion and lesion is not None:
        prediction, target = prediction & lesion, target & lesion
    return confusion_counts(scale_mask(prediction, scaling), scale_mask(target, scaling))


def scale_mask(mask: BoolMask, scaling: Scaling) -> BoolMask:
    """Resize a mask, (H, W) bool, without keeping its aspect."""
    if scaling.size is None or scaling.size == mask.shape:
        return mask
    if scaling.method == "mean":
        return resize_mask(mask, scaling.size)
    height, width = scaling.size
    resized = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=_FLAGS[scaling.method]
    )
    return np.asarray(resized, np.bool_)
