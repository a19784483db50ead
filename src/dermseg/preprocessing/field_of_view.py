"""Find the round field that a dermatoscope lights, and take away what is dark around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dermseg.preprocessing.resizing import limited_size, resize_image
from dermseg.types import BoolMask, ImageArray

__all__ = ["Box", "fill_background", "find_background", "find_field"]

_SIDE = 256
_DARK_SHARE = 0.35
_MIN_FIELD_SHARE = 0.25
_MIN_SIDE_SHARE = 0.4


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels.

    Attributes:
        top: Rows above it.
        left: Columns left of it.
        height: Its rows.
        width: Its columns.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with."""
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + self.width)

    def intersect(self, other: Box) -> Box | None:
        """Return the intersection of two boxes; None if it is empty."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = min(self.top + self.height, other.top + other.height)
        right = min(self.left + self.width, other.left + other.width)
        if top >= bottom or left >= right:
            return None
        return Box(top, left, bottom - top, right - left)


def find_background(image: ImageArray) -> BoolMask:
    """Find what is dark outside the field of view.

    Dark are pixels whose brightest channel is below 35 % of what the brightest twentieth of the
    image reaches; background are the dark regions that hold a corner of the image. A dark lesion
    that touches an edge, but no corner, is none. Where less than a quarter of the image would be
    left, it is not a field of view, and nothing is background.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) bool.
    """
    brightest = cv2.blur(image.max(axis=2), (3, 3))
    dark = (brightest < _DARK_SHARE * np.percentile(brightest, 95)).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    corners = np.unique(labels[[0, 0, -1, -1], [0, -1, 0, -1]])
    background = np.isin(labels, corners[corners > 0])
    if np.count_nonzero(background) > (1 - _MIN_FIELD_SHARE) * background.size:
        return np.zeros_like(background)
    return np.asarray(background, np.bool_)


def find_field(image: ImageArray) -> Box:
    """The bounding box of the field of view; the whole image where nothing lies around it.

    It is found on a copy whose longer side is 256 pixels, so it is exact to about 1/256 of the
    image. A box that would cut away more than 60 % of a side is not believed.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    height, width = image.shape[:2]
    whole = Box(0, 0, height, width)
    size = limited_size((height, width), _SIDE)
    background = find_background(resize_image(image, size))
    if not background.any():
        return whole
    # One lit pixel in a row or column is a reflection or a letter, not the field.
    rows = np.flatnonzero((~background).mean(axis=1) > 0.05)
    columns = np.flatnonzero((~background).mean(axis=0) > 0.05)
    top, bottom = round(rows[0] * height / size[0]), round((rows[-1] + 1) * height / size[0])
    left, right = round(columns[0] * width / size[1]), round((columns[-1] + 1) * width / size[1])
    if bottom - top < _MIN_SIDE_SHARE * height or right - left < _MIN_SIDE_SHARE * width:
        return whole
    return Box(top, left, bottom - top, right - left)


def fill_background(image: ImageArray) -> ImageArray:
    """Paint the background in the median colour of the field's rim.

    The rim is as wide as a twentieth of the shorter side. The background is taken a fiftieth of
    it wider than it was found, because the field's edge is soft.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8; the same where there is no background.
    """
    background = find_background(image)
    if not background.any():
        return image
    side = min(image.shape[:2])
    outside = _widened(background, max(1, side // 50))
    rim = _widened(outside, max(1, side // 20)) & ~outside
    if not rim.any():
        return image
    filled = image.copy()
    filled[outside] = np.median(image[rim], axis=0).astype(np.uint8)
    return filled


def _widened(mask: BoolMask, radius: int) -> BoolMask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(np.bool_)
