"""Resize images to the network's size, and masks and probabilities back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, FloatArray, ImageArray, Size

__all__ = ["limited_size", "resize_image", "resize_mask", "resize_probability"]


def limited_size(size: Size, max_side: int | None) -> Size:
    """Reduce (height, width) until the longer side is at most ``max_side``, the aspect kept.

    Args:
        size: The size; one that fits is returned as it is.
        max_side: In pixels; None sets no limit.

    Returns:
        (height, width), each at least 1.

    Example:
        >>> limited_size((768, 1024), 512)
        (384, 512)
    """
    scale = 1.0 if max_side is None else min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_image(image: ImageArray, size: Size) -> ImageArray:
    """Resize an image without keeping its aspect.

    Pixels are averaged along a side that shrinks (no aliasing) and interpolated linearly along
    one that grows.

    Args:
        image: (H, W, 3) uint8.
        size: (height, width) of the result.

    Returns:
        (height, width, 3) uint8.
    """
    return np.asarray(_resize(image, size), dtype=np.uint8)


def resize_mask(mask: BoolMask, size: Size, *, share: float = 0.5) -> BoolMask:
    """Resize a mask; a pixel is set where at least a share of what it covers was set.

    Args:
        mask: (H, W) bool.
        size: (height, width) of the result.
        share: Half, unless thin structures would be lost; in (0, 1].

    Returns:
        (height, width) bool.

    Example:
        >>> resize_mask(np.array([[True, True, True, False]]), (1, 2)).tolist()
        [[True, True]]
    """
    covered = _resize(mask.astype(np.float32), size)
    # OpenCV's float32 sums of a half may fall short of it by rounding.
    return np.asarray(covered >= share - 1e-5, dtype=np.bool_)


def resize_probability(probability: FloatArray, size: Size) -> FloatArray:
    """Upsample a probability map bilinearly to an image's native size.

    Args:
        probability: (h, w) float32 in [0, 1].
        size: (height, width) of the result.

    Returns:
        (height, width) float32 in [0, 1].
    """
    height, width = size
    resized = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)


def _resize(values: NDArray[Any], size: Size) -> NDArray[Any]:
    # In two steps, because OpenCV averages only where both sides shrink.
    height, width = size
    smaller = (min(width, values.shape[1]), min(height, values.shape[0]))
    averaged = cv2.resize(values, smaller, interpolation=cv2.INTER_AREA)
    return cv2.resize(averaged, (width, height), interpolation=cv2.INTER_LINEAR)
