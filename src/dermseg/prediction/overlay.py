"""The mask's contour drawn on the image."""

from __future__ import annotations

import cv2
import numpy as np

from dermseg.preprocessing import limited_size, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray

__all__ = ["draw_contour"]

_LINE = (64, 255, 200)
_RIM = (0, 0, 0)


def draw_contour(
    image: ImageArray,
    mask: BoolMask,
    *,
    max_side: int | None = None,
    color: tuple[int, int, int] = _LINE,
) -> ImageArray:
    """Draw the contour of a mask on a copy of its image.

    A bright line with a dark rim, so that it is seen on any skin; the line's width grows with the
    image. The line lies on the mask's outermost pixels.

    Args:
        image: (H, W, 3) uint8.
        mask: (H, W) bool, or at another size of the same picture.
        max_side: Reduce the picture so that its longer side is at most this; None keeps it.
        color: Colour of the line as red, green and blue.

    Returns:
        (H, W, 3) uint8, or smaller.
    """
    size = limited_size((image.shape[0], image.shape[1]), max_side)
    if image.shape[:2] != size:
        image = resize_image(image, size)
    if mask.shape != size:
        mask = resize_mask(mask, size)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(max(image.shape[:2]) / 500))
    picture = image.copy()
    cv2.drawContours(picture, contours, -1, _RIM, thickness=line + 2, lineType=cv2.LINE_AA)
    cv2.drawContours(picture, contours, -1, color, thickness=line, lineType=cv2.LINE_AA)
    return picture
