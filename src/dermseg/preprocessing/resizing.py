"""Resize images to the network's size, and masks and probabilities back."""

from __future__ import annotations

import cv2
import numpy as np

from dermseg.types import BoolMask, FloatArray, ImageArray, Size

__all__ = ["resize_image", "resize_mask", "resize_probability"]


def resize_image(image: ImageArray, size: Size) -> ImageArray:
    """Resize an image without keeping its aspect.

    Pixels are averaged where the image shrinks (no aliasing) and interpolated bilinearly where
    it grows.

    Args:
        image: (H, W, 3) uint8.
        size: (height, width) of the result.

    Returns:
        (height, width, 3) uint8.
    """
    height, width = size
    resized = cv2.resize(image, (width, height), interpolation=_interpolation(image.shape, size))
    return np.asarray(resized, dtype=np.uint8)


def resize_mask(mask: BoolMask, size: Size) -> BoolMask:
    """Resize a mask; a pixel is set where at least half of what it covers was set.

    Args:
        mask: (H, W) bool.
        size: (height, width) of the result.

    Returns:
        (height, width) bool.

    Example:
        >>> resize_mask(np.array([[True, True, True, False]]), (1, 2)).tolist()
        [[True, True]]
    """
    height, width = size
    share = cv2.resize(
        mask.astype(np.float32), (width, height), interpolation=_interpolation(mask.shape, size)
    )
    return np.asarray(share >= 0.5, dtype=np.bool_)


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


def _interpolation(old: tuple[int, ...], new: Size) -> int:
    shrinks = new[0] * new[1] < old[0] * old[1]
    return cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
