"""The expected quality of a mask, written into its picture."""

from __future__ import annotations

from itertools import product
from typing import Final

import cv2
import numpy as np

from dermseg.prediction.quality import Quality
from dermseg.preprocessing import Box, limited_size, resize_image
from dermseg.types import BoolMask, ImageArray

__all__ = ["draw_quality", "draw_refusal"]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_REVIEW: Final = "REVIEW: "
_WIDTH_SHARE: Final = 0.5
_TEXT: Final = (255, 255, 255)
_CALM: Final = (32, 64, 56)
_WARNING: Final = (176, 48, 0)


def draw_quality(picture: ImageArray, mask: BoolMask, quality: Quality) -> ImageArray:
    """Write the expected Jaccard index into a corner; on red where to review.

    It is the corner in which least of the lesion is hidden, the lower left one where several are
    free. The longer text takes half of the picture's width, so that it is read at every size.

    Args:
        picture: (H, W, 3) uint8.
        mask: (h, w) bool of the same picture, of any size.
        quality: What is expected of the mask.

    Returns:
        (H, W, 3) uint8, a copy.
    """
    words = f"expected Jaccard {quality.expected_jaccard:.2f}"
    (short, _), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    (long, _), _ = cv2.getTextSize(_REVIEW + words, _FONT, 1.0, 1)
    share = _WIDTH_SHARE if quality.review else _WIDTH_SHARE * short / long
    words = _REVIEW + words if quality.review else words
    return _write_label(picture, words, warning=quality.review, share=share, mask=mask)


def draw_refusal(image: ImageArray, reason: str, *, max_side: int) -> ImageArray:
    """Write why an image is refused over its whole width.

    Args:
        image: (H, W, 3) uint8.
        reason: ASCII.
        max_side: Reduce the image so that its longer side is at most this.

    Returns:
        (H, W, 3) uint8, a copy.
    """
    picture = resize_image(image, limited_size((image.shape[0], image.shape[1]), max_side))
    return _write_label(picture, reason, warning=True, share=0.95)


def _write_label(
    picture: ImageArray, words: str, *, warning: bool, share: float, mask: BoolMask | None = None
) -> ImageArray:
    """Write a line of text into a corner.

    Args:
        picture: (H, W, 3) uint8.
        words: ASCII.
        warning: Whether the ground is red.
        share: Width of the text as a share of the picture's, in (0, 1].
        mask: (h, w) bool of the same picture, of any size, which the label hides least of; without
            it, the label is in the lower left corner.

    Returns:
        (H, W, 3) uint8, a copy.
    """
    picture = picture.copy()
    height, width = picture.shape[:2]
    (unit, _), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    scale = share * width / unit
    line = max(1, round(scale))
    (text_width, text_height), below = cv2.getTextSize(words, _FONT, scale, line)
    margin = max(2, text_height // 2)
    label_height, label_width = text_height + below + margin, text_width + 2 * margin
    corners = product((max(0, height - label_height), 0), (0, max(0, width - label_width)))
    labels = [Box(top, left, label_height, label_width) for top, left in corners]
    label = labels[0]
    if mask is not None:
        lesion = cv2.resize(mask.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        label = min(labels, key=lambda label: int(lesion[label.slices].sum()))
    picture[label.slices] = _WARNING if warning else _CALM
    at = (label.left + margin, label.top + label_height - (below + margin) // 2)
    cv2.putText(picture, words, at, _FONT, scale, _TEXT, line, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)
