"""The one path from an image to what a network sees, in training and in prediction.

The steps, and the sizes at which they run:

1. ``crop_field`` cuts the native image; the box is found on a copy of 256 pixels. Where the image
   is cut to its lesion, the part of the lesion's box that lies in the field is taken.
2. Where 3 or 4 is on, the image is reduced so that its longer side is at most 512 pixels (or the
   network's longer side, if that is more): time is then bounded for images of any size.
3. ``fill_background`` paints what is dark around the field, so that 4 and 6 do not see it.
4. ``remove_hair``, before hairs are averaged away.
5. The image is resized to the network's size.
6. ``color_constancy``, on what the network will see.
7. In training, augmentation: it changes images that have been cleaned.
8. Normalisation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing.color_constancy import correct_color
from dermseg.preprocessing.field_of_view import Box, fill_background, find_field
from dermseg.preprocessing.hair import remove_hair
from dermseg.preprocessing.lesion_box import lesion_box
from dermseg.preprocessing.normalization import Normalization
from dermseg.preprocessing.resizing import limited_size, resize_image
from dermseg.recipes import Cleaning
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["find_box", "least_size", "prepare_image", "preprocess", "to_unit_range"]

_WORKING_SIDE = 512


def to_unit_range(image: ImageArray) -> NDArray[np.float32]:
    """Bring (H, W, 3) uint8 to float32 in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def find_box(
    image: ImageArray,
    cleaning: Cleaning,
    *,
    lesion: BoolMask | None = None,
    margin: float = 0.0,
) -> Box:
    """The part of a native image that the network sees.

    The field of view where ``crop_field`` is on, else the whole image; of it, the part that the
    lesion's box covers, where there is a lesion. A lesion that lies outside the field altogether
    is not believed.

    Args:
        image: (H, W, 3) uint8 RGB at native size.
        cleaning: Which steps are on.
        lesion: (H, W) bool, what the image is cut to; None does not cut it.
        margin: As :func:`lesion_box` takes it.
    """
    field = find_field(image) if cleaning.crop_field else Box(0, 0, *image.shape[:2])
    if lesion is None:
        return field
    return field.intersect(lesion_box(lesion, margin)) or field


def prepare_image(image: ImageArray, box: Box, size: Size, cleaning: Cleaning) -> ImageArray:
    """Crop, clean and resize an image: steps 1 to 6.

    Args:
        image: (H, W, 3) uint8 RGB at native size.
        box: As :func:`find_box` gives it; a mask is cropped by the same.
        size: (height, width) of the result.
        cleaning: Which steps are on.

    Returns:
        (height, width, 3) uint8.
    """
    image = image[box.slices]
    if cleaning.fill_background or cleaning.remove_hair:
        image = resize_image(image, _working_size((box.height, box.width), size))
    if cleaning.fill_background:
        image = fill_background(image)
    if cleaning.remove_hair:
        image = remove_hair(image)
    image = resize_image(image, size)
    return correct_color(image) if cleaning.color_constancy else image


def least_size(native: Size, size: Size, cleaning: Cleaning) -> Size | None:
    """The (height, width) to which an image may be reduced before it is prepared.

    Four times the network's size: masks then differ from those of the whole image by no more than
    a network's input does between two decoders. None where all pixels are needed.
    """
    if cleaning.crop_field:
        return None
    least = (4 * size[0], 4 * size[1])
    if cleaning.fill_background or cleaning.remove_hair:
        working = _working_size(native, size)
        least = (max(least[0], working[0]), max(least[1], working[1]))
    return least


def preprocess(
    image: ImageArray,
    size: Size,
    normalization: Normalization,
    *,
    box: Box | None = None,
    cleaning: Cleaning | None = None,
) -> NDArray[np.float32]:
    """Turn an image into a network's input: all steps but augmentation.

    Args:
        image: (H, W, 3) uint8 RGB of any size.
        size: (height, width) of the network's input.
        normalization: As fitted on the training images.
        box: What :func:`find_box` found, where the caller has asked already.
        cleaning: Which steps are on; None means none.

    Returns:
        (3, height, width) float32.
    """
    cleaning = cleaning or Cleaning()
    box = box or find_box(image, cleaning)
    return normalization.apply(to_unit_range(prepare_image(image, box, size, cleaning)))


def _working_size(native: Size, network: Size) -> Size:
    """Native size, reduced to the bound of step 2 with its aspect kept."""
    return limited_size(native, max(_WORKING_SIDE, *network))
