"""The masks of several classes on their image, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np

from dermseg.preprocessing import resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray

__all__ = ["class_colors", "draw_classes"]


def class_colors(classes: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Give each class a colour, RGB in 0 to 255; after ten they come again."""
    colors = mpl.colormaps["tab10"](np.arange(len(classes)) % 10, bytes=True)
    rows = zip(classes, colors.tolist(), strict=True)
    return {name: (red, green, blue) for name, (red, green, blue, _) in rows}


def draw_classes(
    image: ImageArray,
    masks: Mapping[str, BoolMask],
    colors: Mapping[str, tuple[int, int, int]],
    *,
    max_side: int,
) -> ImageArray:
    """Tint the image where its masks are; where they overlap, the colours mix.

    Args:
        image: (H, W, 3) uint8.
        masks: (H, W) each, by class.
        colors: Of each class, RGB.
        max_side: The picture is reduced so that its longer side is at most this.

    Returns:
        (h, w, 3) uint8.
    """
    scale = min(1.0, max_side / max(image.shape[:2]))
    size = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
    picture = resize_image(image, size).astype(np.float32)
    for name, mask in masks.items():
        shown = resize_mask(mask, size)
        picture[shown] = (picture[shown] + np.array(colors[name], np.float32)) / 2
    return picture.round().astype(np.uint8)
