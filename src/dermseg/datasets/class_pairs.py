"""Images and masks of several classes as a network is trained on them, before augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.class_masks import find_class_mask, read_class_masks
from dermseg.datasets.pairs import refuse_other_size
from dermseg.images import read_image
from dermseg.preprocessing import find_box, prepare_image, resize_mask
from dermseg.recipes import Cleaning
from dermseg.types import ImageArray, MaskStack, Sample, Size, SuperpixelFeature

__all__ = ["ClassPair", "NativeClassPairs", "prepare_class_pair"]


@dataclass(frozen=True)
class ClassPair:
    """An image and the masks of some classes, of one size.

    Attributes:
        image: (H, W, 3) uint8.
        masks: (C, H, W) bool; all False where the class is not known.
        known: (C,) bool. A class that is not known must not be learned from, neither as present
            nor as absent.
    """

    image: ImageArray
    masks: MaskStack
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class NativeClassPairs:
    """Reads, cleans and resizes the files themselves, every time.

    Attributes:
        classes: Names of attributes, or ``lesion``, in the order of the masks.
        cleaning: Which steps are on.
    """

    classes: tuple[str, ...]
    cleaning: Cleaning

    def __call__(self, sample: Sample, size: Size) -> ClassPair:
        """Return the image and the masks of a sample at (height, width).

        Raises:
            ImageError: If a file cannot be read.
            DatasetError: If none of the classes is known, or sizes differ.
        """
        (pair,) = prepare_class_pair(sample, self.classes, [size], self.cleaning)
        return pair


def prepare_class_pair(
    sample: Sample, classes: Sequence[str], sizes: Sequence[Size], cleaning: Cleaning
) -> list[ClassPair]:
    """Read an image and its masks once, and clean and resize them for each of some network sizes.

    A mask is reduced as that of a lesion is: a pixel is set where at least half of what it covers
    was. What is thinner than half a pixel of the network is lost.

    Raises:
        ImageError: If a file cannot be read.
        DatasetError: If none of the classes is known, or sizes differ.
    """
    read = read_class_masks(sample, classes)
    image = read_image(sample.image)
    known = [mask for name in classes if (mask := find_class_mask(sample, name)) is not None]
    file = known[0].superpixels if isinstance(known[0], SuperpixelFeature) else known[0]
    refuse_other_size(sample, image, read.masks[0], file)
    box = find_box(image, cleaning)
    cropped = read.masks[:, *box.slices]
    return [
        ClassPair(
            prepare_image(image, box, size, cleaning),
            np.stack([resize_mask(mask, size) for mask in cropped]),
            read.known,
        )
        for size in sizes
    ]
