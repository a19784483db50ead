"""Bring colours to the range that a network was trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dermseg.types import ImageArray

__all__ = ["UNIT_RANGE", "Normalization", "fit_normalization"]


_Above0 = Annotated[float, Field(gt=0)]


class Normalization(BaseModel):
    """Mean and standard deviation per channel of images in [0, 1].

    Example:
        >>> white = np.full((1, 1, 3), 1.0, dtype=np.float32)
        >>> Normalization(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)).apply(white).tolist()
        [[[2.0]], [[2.0]], [[2.0]]]
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mean: tuple[float, float, float]
    std: tuple[_Above0, _Above0, _Above0]

    def apply(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise an image and put its channels first.

        Args:
            image: (H, W, 3) float32 in [0, 1].

        Returns:
            (3, H, W) float32, contiguous.
        """
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        normalized = (image - mean) / std
        return np.ascontiguousarray(normalized.transpose(2, 0, 1), dtype=np.float32)


UNIT_RANGE = Normalization(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
"""Leaves colours in [0, 1]."""


def fit_normalization(images: Iterable[ImageArray]) -> Normalization:
    """Mean and standard deviation per channel over all pixels of the training images.

    Args:
        images: (H, W, 3) uint8 each; sizes may differ. At least one.

    Raises:
        ValueError: If there is no image.
    """
    num_pixels = 0
    total = np.zeros(3)
    total_of_squares = np.zeros(3)
    for image in images:
        pixels = image.reshape(-1, 3).astype(np.float64) / 255
        num_pixels += len(pixels)
        total += pixels.sum(axis=0)
        total_of_squares += np.square(pixels).sum(axis=0)
    if num_pixels == 0:
        message = "normalisation needs at least one image"
        raise ValueError(message)
    mean = total / num_pixels
    std = np.sqrt(np.maximum(total_of_squares / num_pixels - np.square(mean), 1e-6))
    red, green, blue = (round(float(value), 5) for value in mean)
    red_std, green_std, blue_std = (round(float(value), 5) for value in std)
    return Normalization(mean=(red, green, blue), std=(red_std, green_std, blue_std))
