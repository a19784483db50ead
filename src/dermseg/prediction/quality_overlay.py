"""The expected quality of a mask, written into its picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from dermseg.prediction.quality import Quality
from dermseg.types import ImageArray

__all__ = ["draw_quality"]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_WIDTH_SHARE: Final = 0.5
_TEXT: Final = (255, 255, 255)
_CALM: Final = (32, 64, 56)
_WARNING: Final = (176, 48, 0)


def draw_quality(picture: ImageArray, quality: Quality) -> ImageArray:
    """Write the expected Jaccard index in the lower left corner; on red where to review.

    The text takes half of the picture's width, so that it is read at every size.

    Args:
        picture: (H, W, 3) uint8.
        quality: What is expected of the mask.

    Returns:
        (H, W, 3) uint8, a copy.
    """
    words = f"expected Jaccard {quality.expected_jaccard:.2f}"
    words = f"REVIEW: {words}" if quality.review else words
    picture = picture.copy()
    height, width = picture.shape[:2]
    (unit, _), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    scale = _WIDTH_SHARE * width / unit
    line = max(1, round(scale))
    (text_width, text_height), below = cv2.getTextSize(words, _FONT, scale, line)
    margin = max(2, text_height // 2)
    top_left = (0, height - text_height - below - margin)
    bottom_right = (text_width + 2 * margin, height)
    cv2.rectangle(
        picture, top_left, bottom_right, _WARNING if quality.review else _CALM, thickness=cv2.FILLED
    )
    at = (margin, height - below)
    cv2.putText(picture, words, at, _FONT, scale, _TEXT, line, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)
