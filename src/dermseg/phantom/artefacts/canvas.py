"""Shared parts of the artefacts: the check of a call, and thin lines as coverage masks."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.errors import UsageError
from dermseg.types import ImageArray, Size

__all__ = ["Canvas", "blend", "check_call", "check_strength"]

_SUBPIXEL_BITS = 4


def check_call(image: ImageArray, strength: float) -> None:
    """Refuse what is no RGB image and what is no strength.

    Raises:
        UsageError: If ``image`` is not (H, W, 3) uint8, or empty, or ``strength`` is not in [0, 1].
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise UsageError(
            f"the image has shape {image.shape} and type {image.dtype}; "
            "artefacts are drawn on RGB images of shape (H, W, 3) and type uint8"
        )
    check_strength("strength", strength)


def check_strength(name: str, strength: float) -> None:
    """Refuse a strength outside [0, 1] or not a number.

    Raises:
        UsageError: Names the argument.
    """
    if not 0 <= strength <= 1:  # also refuses NaN
        raise UsageError(f"{name} is {strength}; give a number from 0 (off) to 1 (strongest)")


def blend(image: ImageArray, color: NDArray[np.float32], alpha: NDArray[np.float32]) -> ImageArray:
    """Lay one colour over an image.

    Args:
        image: (H, W, 3) uint8.
        color: In 0 to 255, (3,), or (H, W, 1) greys.
        alpha: (H, W) in 0 to 1, how much of the colour is seen.
    """
    mixed = np.asarray(image + alpha[..., None] * (color - image), np.float32)
    mixed += 0.5
    return mixed.astype(np.uint8)


class Canvas:
    """A mask on which lines of any width, also below one pixel, are drawn in image units.

    Points are (x, y) and lengths are in units of the shorter side of the image, so that the same
    numbers draw the same picture at every size.

    Args:
        size: (height, width) of the image.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        # Small images need lines thinner than a pixel: drawn finer, then averaged.
        self._fineness = 2 if min(size) < 800 else 1
        self._scale = min(size) * self._fineness
        self._drawn = np.zeros((size[0] * self._fineness, size[1] * self._fineness), np.uint8)

    @property
    def width(self) -> float:
        """Width of the image in units of its shorter side."""
        return self.size[1] / min(self.size)

    @property
    def height(self) -> float:
        """Height of the image in units of its shorter side."""
        return self.size[0] / min(self.size)

    def line(
        self,
        points: NDArray[np.floating],
        *,
        width: float,
        opacity: float = 1.0,
        closed: bool = False,
    ) -> None:
        """Draw a line through ``points`` (N, 2); where lines cross, the last one counts."""
        pixels = width * self._scale
        # Lines are drawn in whole pixels: one too wide is made fainter by as much.
        thickness = max(1, math.ceil(pixels))
        value = 255 * opacity * pixels / thickness
        cv2.polylines(
            self._drawn,
            [self._fixed(points)],
            closed,
            value,
            thickness,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )

    def area(self, points: NDArray[np.floating], *, opacity: float = 1.0) -> None:
        """Fill the polygon ``points`` (N, 2)."""
        cv2.fillPoly(self._drawn, [self._fixed(points)], 255 * opacity, cv2.LINE_AA, _SUBPIXEL_BITS)

    def coverage(self) -> NDArray[np.float32]:
        """Return the coverage of the drawn lines, (H, W) float32 in 0 to 1."""
        # Averages the finer pixels; changes nothing where the mask has the image's size.
        drawn = cv2.resize(self._drawn, self.size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(drawn, np.float32) * np.float32(1 / 255)

    def _fixed(self, points: NDArray[np.floating]) -> NDArray[np.int32]:
        pixels = points * self._scale - 0.5  # OpenCV counts from the centre of the first pixel
        return np.asarray(np.round(pixels * 2**_SUBPIXEL_BITS), np.int32)
