"""From a probability map at native size to a mask."""

from __future__ import annotations

import cv2
import numpy as np

from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask, FloatArray

__all__ = ["fill_holes", "keep_largest_region", "postprocess"]


def postprocess(probability: FloatArray, options: Postprocessing) -> BoolMask:
    """Threshold a probability map, then clean the mask as the options say.

    Args:
        probability: (H, W) float in [0, 1].
        options: Threshold and cleaning; the largest region is chosen before holes are filled.

    Returns:
        (H, W) bool.
    """
    mask = probability >= options.threshold
    if options.largest_region:
        mask = keep_largest_region(mask)
    if options.fill_holes:
        mask = fill_holes(mask)
    return mask


def keep_largest_region(mask: BoolMask) -> BoolMask:
    """Keep the largest 8-connected region; an empty mask stays empty.

    Of regions of the same size, the one that starts highest, then leftmost, is kept.
    """
    num_labels, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if num_labels <= 2:
        return mask
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(labels == largest, dtype=np.bool_)


def fill_holes(mask: BoolMask) -> BoolMask:
    """Fill what is enclosed by the mask; what touches the image's edge is no hole.

    Example:
        >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
        >>> bool(fill_holes(ring).all())
        True
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, dtype=np.uint8)
    cv2.drawContours(filled, contours, -1, color=1, thickness=cv2.FILLED)
    return filled.astype(np.bool_)
