"""What an image shows, measured with its true mask: to see where masks are good and where not."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing import find_background, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray

__all__ = ["STATISTICS", "ImageStatistics", "individual_typology_angle", "measure_image"]

_SIDE = 512
# The lesion's border is soft, and so is the edge of what the dermatoscope lights.
_GAP_SHARE = 0.01
_RING_SHARE = 0.08
_FEWEST_PIXELS = 50


@dataclass(frozen=True)
class ImageStatistics:
    """What an image shows; NaN where something cannot be measured.

    Attributes:
        lesion_share: Share of the field of view that is lesion, in [0, 1].
        contrast: Distance in CIELAB (CIE76) between the median colours of the lesion and of the
            skin around it. About 2 is just seen.
        skin_ita: Individual typology angle of the skin around the lesion, in degrees; the higher
            the lighter. Photographs that are not calibrated give it only relative to each other.
    """

    lesion_share: float
    contrast: float
    skin_ita: float


STATISTICS: Final = tuple(entry.name for entry in fields(ImageStatistics))
"""The names of what `measure_image` measures."""


def measure_image(image: ImageArray, lesion: BoolMask) -> ImageStatistics:
    """Measure an image, reduced to a long side of 512 pixels.

    Skin is a ring around the lesion, 8 % of the long side wide, that begins 1 % outside of the
    lesion. Where a large lesion leaves less than 50 pixels of it, it is all that is not lesion;
    without lesion, it is the whole field of view. What is dark outside the field of view counts
    as neither. The colours are medians, so that single hairs and reflections do not matter.

    Args:
        image: (H, W, 3) uint8 RGB, taken as sRGB.
        lesion: The true mask, (H, W) bool.

    Raises:
        ValueError: If the sizes differ.
    """
    if image.shape[:2] != lesion.shape:
        raise ValueError(f"the image is {image.shape[:2]} pixels and the mask {lesion.shape}")
    height, width = lesion.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small, mask = resize_image(image, size), resize_mask(lesion, size)
    gap = max(1, round(_GAP_SHARE * max(size)))
    # What is marked as lesion is none of the background, however dark.
    field = mask | ~_widened(find_background(small) & ~mask, gap)
    share = float(np.count_nonzero(mask) / np.count_nonzero(field)) if field.any() else math.nan
    skin = _find_skin(mask, field, gap)
    colors = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    skin_color = _median(colors, skin)
    contrast = float(np.linalg.norm(_median(colors, mask) - skin_color))
    lightness, _, yellowness = map(float, skin_color)
    return ImageStatistics(share, contrast, individual_typology_angle(lightness, yellowness))


def individual_typology_angle(lightness: float, yellowness: float) -> float:
    """Angle of a skin colour in the plane of L* and b*: arctan((L* - 50) / b*), in degrees.

    Above 55 is called very light, above 41 light, above 28 intermediate, above 10 tan, above -30
    brown, and the rest dark.

    Args:
        lightness: L* of CIELAB, 0 to 100.
        yellowness: b* of CIELAB.

    References:
        Chardon et al. (1991), doi:10.1111/j.1467-2494.1991.tb00561.x;
        Del Bino & Bernerd (2013), doi:10.1111/bjd.12529, for the limits.

    Example:
        >>> round(individual_typology_angle(70, 20), 6)
        45.0
    """
    # Bluish skin (b* below 0) comes from the camera: the angle goes on growing, without a jump.
    return math.degrees(math.atan2(lightness - 50, yellowness))


def _find_skin(lesion: BoolMask, field: BoolMask, gap: int) -> BoolMask:
    if not lesion.any():
        return field
    outside = ~_widened(lesion, gap) & field
    ring = outside & _widened(lesion, gap + round(_RING_SHARE * max(lesion.shape)))
    return ring if np.count_nonzero(ring) >= _FEWEST_PIXELS else outside


def _median(colors: NDArray[Any], where: BoolMask) -> NDArray[np.float64]:
    if np.count_nonzero(where) < _FEWEST_PIXELS:
        return np.full(3, np.nan)
    return np.asarray(np.median(colors[where], axis=0), np.float64)


def _widened(mask: BoolMask, radius: int) -> BoolMask:
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius, np.bool_)
