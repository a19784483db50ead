"""The part of an image that shows its lesion."""

from __future__ import annotations

import numpy as np

from dermseg.preprocessing.field_of_view import Box
from dermseg.types import BoolMask

__all__ = ["lesion_box"]


def lesion_box(mask: BoolMask, margin: float) -> Box:
    """The bounding box of a lesion, grown on each side and clipped to the image.

    Args:
        mask: (H, W) bool.
        margin: How much is kept above and below, as a share of the bounding box's height, and
            left and right, as a share of its width; at least 0.

    Returns:
        The box; the whole image where the mask is empty.

    Example:
        >>> mask = np.zeros((40, 60), np.bool_)
        >>> mask[10:20, 2:42] = True
        >>> lesion_box(mask, 0.1)
        Box(top=9, left=0, height=12, width=46)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Box(0, 0, *mask.shape)
    ends = [_grown(side[0], side[-1] + 1, margin) for side in (rows, columns)]
    (top, bottom), (left, right) = (
        (max(0, start), min(length, end))
        for (start, end), length in zip(ends, mask.shape, strict=True)
    )
    return Box(top, left, bottom - top, right - left)


def _grown(start: np.intp, end: np.intp, margin: float) -> tuple[int, int]:
    by = round(margin * float(end - start))
    return int(start) - by, int(end) + by
