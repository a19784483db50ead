"""A contact sheet of what the network will see."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dermseg.datasets import Source, open_source
from dermseg.datasets.class_masks import is_lesion_only
from dermseg.prediction import color_of, draw_contour
from dermseg.preprocessing import UNIT_RANGE, resize_image, resize_mask
from dermseg.recipes import Recipe
from dermseg.training.data import SegmentationData
from dermseg.training.parts import divide
from dermseg.types import ImageArray, Size

__all__ = ["preview"]

_LONG_SIDE = 320  # of a tile
_BAR = 20  # height of a caption
_GAP = 4  # between tiles
_SWATCH = 12  # width of a colour in the legend
_FONT, _FONT_SCALE, _INK = cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40)
_LESION_COLOR = (64, 255, 200)


def preview(recipe: Recipe, data: Sequence[Source], *, num: int = 6, epochs: int = 5) -> ImageArray:
    """Draw training images as they reach the network, with the contours of their masks.

    Where the recipe has other classes than the lesion, each has a colour of its own, named at the
    top; a class without a contour is not in the image, or not known.

    One row per image: first as it is after preprocessing, then as it is augmented in each of the
    first epochs, with the very draws that a run of this recipe makes. The images are spread
    evenly over the training part. Colours are shown before normalisation. Tiles are 320 pixels
    wide or high, whatever the network's size: contours then hide little of small images, sheets
    for large ones can still be looked at, and the smaller sizes of progressive resizing are seen
    for what they are.

    Args:
        recipe: What would be trained.
        data: Folders of one dataset each, or of images and masks.
        num: Rows; at most as many as there are training images.
        epochs: Columns besides the first; at most the recipe's.

    Returns:
        (H, W, 3) uint8.

    Raises:
        DatasetError: If the data cannot be recognised, paired or split.
        ImageError: If an image or a mask cannot be read.
    """
    datasets = [open_source(source, recipe.data.name) for source in data]
    train = divide(
        datasets,
        recipe.data,
        classes=recipe.classes,
        needs_lesion=recipe.lesion_crop is not None,
    ).train
    chosen = np.unique(np.linspace(0, len(train) - 1, num).round().astype(int))
    samples = [train[index] for index in chosen]
    plain = SegmentationData(samples, recipe, UNIT_RANGE, augment=False)
    augmented = SegmentationData(samples, recipe, UNIT_RANGE, augment=True)
    epochs = min(epochs, recipe.training.epochs)
    height, width = recipe.preprocessing.size
    scale = _LONG_SIDE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    rows = [] if is_lesion_only(recipe.classes) else [_legend(recipe, size, num_tiles=1 + epochs)]
    for index, sample in enumerate(samples):
        tiles = [_tile(plain, (0, index), size, sample.id)]
        tiles += [
            _tile(augmented, (epoch, index), size, f"epoch {epoch + 1}") for epoch in range(epochs)
        ]
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def _legend(recipe: Recipe, size: Size, *, num_tiles: int) -> ImageArray:
    """The names of the classes in their colours, in as many lines as they need."""
    width = num_tiles * (size[1] + _GAP)
    lines: list[ImageArray] = []
    left = width
    for place, name in enumerate(recipe.classes):
        (length, _), _ = cv2.getTextSize(name, _FONT, _FONT_SCALE, 1)
        if left + length + 3 * _SWATCH > width:
            lines.append(np.full((_BAR, width, 3), 255, np.uint8))
            left = 0
        corners = (left + 4, 6), (left + 4 + _SWATCH, 15)
        cv2.rectangle(lines[-1], *corners, _color(recipe, place), cv2.FILLED)
        cv2.rectangle(lines[-1], *corners, _INK, 1)
        _write(lines[-1], name, left + _SWATCH + 10)
        left += length + 3 * _SWATCH
    return np.vstack(lines)


def _tile(data: SegmentationData, key: tuple[int, int], size: Size, caption: str) -> ImageArray:
    item = data[key]
    values = item["image"].permute(1, 2, 0).numpy()
    image = resize_image(np.asarray(values * 255 + 0.5, np.uint8), size)
    for place, target in enumerate(item["target"].numpy()):
        mask = resize_mask(target >= 0.5, size)
        image = draw_contour(image, mask, color=_color(data.recipe, place))
    bar = np.full((_BAR, size[1], 3), 255, np.uint8)
    _write(bar, caption, 4)
    return np.pad(np.vstack([bar, image]), ((0, 0), (0, _GAP), (0, 0)), constant_values=255)


def _color(recipe: Recipe, place: int) -> tuple[int, int, int]:
    return _LESION_COLOR if is_lesion_only(recipe.classes) else color_of(place)


def _write(bar: ImageArray, text: str, left: int) -> None:
    cv2.putText(bar, text, (left, 14), _FONT, _FONT_SCALE, _INK, 1, cv2.LINE_AA)
