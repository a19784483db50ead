"""Take the colour of the light out of an image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import ImageArray

__all__ = ["NORM", "correct_color", "estimate_light"]

NORM = 6
"""Order of the Minkowski norm that Finlayson and Trezzi found best."""


def estimate_light(image: ImageArray) -> NDArray[np.float64]:
    """Estimate the light's colour by shades of grey.

    The Minkowski norm (mean of the sixth powers, sixth root) of each channel, from the pixels as
    they are stored. Order 1 would be grey world, infinity the brightest value.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (3,) float64 of Euclidean length sqrt(3): ones for grey light, and for a black image.

    References:
        Finlayson and Trezzi (2004), Shades of gray and colour constancy, Color Imaging Conference.
    """
    # Each byte's power once, weighted by how often it occurs.
    powers = (np.arange(256) / 255) ** NORM
    counts = [np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(3)]
    light = (np.stack(counts) @ powers / image[..., 0].size) ** (1 / NORM)
    length = float(np.linalg.norm(light))
    if length == 0:
        return np.ones(3)
    return np.asarray(light * np.sqrt(3) / length, np.float64)


def correct_color(image: ImageArray) -> ImageArray:
    """Divide each channel by the light's colour, so that the light becomes grey.

    A channel without any light stays black; values beyond white are cut off.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8.
    """
    light = np.maximum(estimate_light(image), 1e-6)
    table = np.clip(np.arange(256)[:, None] / light + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)
