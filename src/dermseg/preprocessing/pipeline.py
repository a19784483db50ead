"""The one path from an image to what a network sees, in training and in prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing.normalization import Normalization
from dermseg.preprocessing.resizing import resize_image
from dermseg.types import ImageArray, Size

__all__ = ["preprocess", "to_unit_range"]


def to_unit_range(image: ImageArray) -> NDArray[np.float32]:
    """Bring (H, W, 3) uint8 to float32 in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def preprocess(image: ImageArray, size: Size, normalization: Normalization) -> NDArray[np.float32]:
    """Turn an image into a network's input.

    Args:
        image: (H, W, 3) uint8 RGB of any size.
        size: (height, width) of the network's input.
        normalization: As fitted on the training images.

    Returns:
        (3, height, width) float32.
    """
    return normalization.apply(to_unit_range(resize_image(image, size)))
