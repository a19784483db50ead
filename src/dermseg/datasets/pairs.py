"""Images and masks of classes as a network is trained on them, before augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.class_masks import LESION, find_class_mask, read_class_masks
from dermseg.errors import DatasetError
from dermseg.images import read_image
from dermseg.preprocessing import Box, find_box, prepare_image, resize_mask
from dermseg.recipes import Cleaning, Recipe
from dermseg.types import ImageArray, MaskStack, Sample, Size, SuperpixelFeature

__all__ = ["NativePairs", "Pair", "PairSource", "Preparation", "prepare_pair"]


@dataclass(frozen=True)
class Pair:
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


class PairSource(Protocol):
    """Gives cleaned and resized pairs: from the files themselves, or from a cache of them."""

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """Return the image and the masks of a sample at (height, width).

        Raises:
            ImageError: If a file cannot be read.
            DatasetError: If nothing is known of any class, or sizes differ.
        """
        ...


@dataclass(frozen=True)
class Preparation:
    """The settings that a training pair depends on.

    Attributes:
        cleaning: Which steps are on.
        classes: Names of attributes, or ``lesion``, in the order of the masks.
        crop_margin: Cut the image to its lesion and this much more, as in a recipe's
            ``lesion_crop``; None does not.
    """

    cleaning: Cleaning
    classes: tuple[str, ...] = (LESION,)
    crop_margin: float | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """Return the settings of a recipe's training pairs.

        The lesion comes after the classes where the recipe learns nothing outside it.
        """
        crop = recipe.lesion_crop
        inside = (LESION,) if crop is not None and crop.inside_only else ()
        margin = None if crop is None else crop.margin
        return cls(recipe.preprocessing.cleaning, (*recipe.classes, *inside), margin)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The classes whose mask files a pair depends on."""
        if self.crop_margin is None:
            return self.classes
        return tuple(dict.fromkeys((*self.classes, LESION)))


@dataclass(frozen=True)
class NativePairs:
    """Reads, cleans and resizes the files themselves, every time.

    Attributes:
        preparation: What a pair is made of.
    """

    preparation: Preparation

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """See :class:`PairSource`."""
        (pair,) = prepare_pair(sample, [size], self.preparation)
        return pair


def prepare_pair(sample: Sample, sizes: Sequence[Size], preparation: Preparation) -> list[Pair]:
    """Read an image and its masks once, and clean and resize them for each of some network sizes.

    A pixel is set where at least half of what it covers was, of every class. Attributes are drawn
    as whole superpixels: a quarter, or the nearest pixel, give their masks back less exactly.

    Raises:
        ImageError: If a file cannot be read.
        DatasetError: If nothing is known of any class, sizes differ, or the image is to be cut to
            its lesion and has no mask of it.
    """
    native = _read_pair(sample, preparation.inputs)
    box = _choose_box(sample, native, preparation)
    num_classes = len(preparation.classes)
    cropped = native.masks[:num_classes, *box.slices]
    return [
        Pair(
            prepare_image(native.image, box, size, preparation.cleaning),
            np.stack([resize_mask(mask, size) for mask in cropped]),
            native.known[:num_classes],
        )
        for size in sizes
    ]


def _read_pair(sample: Sample, classes: Sequence[str]) -> Pair:
    """Read an image and the masks of some classes at native size.

    Raises:
        ImageError: If a file cannot be read.
        DatasetError: If nothing is known of any class, or sizes differ.
    """
    image = read_image(sample.image)
    found = [mask for name in classes if (mask := find_class_mask(sample, name)) is not None]
    if not found and not sample.presence.keys().isdisjoint(classes):
        nothing = np.zeros((len(classes), *image.shape[:2]), np.bool_)
        return Pair(image, nothing, np.zeros(len(classes), np.bool_))
    read = read_class_masks(sample, classes)
    if read.masks.shape[1:] != image.shape[:2]:
        file = found[0].superpixels if isinstance(found[0], SuperpixelFeature) else found[0]
        sizes = [f"{shape[1]}x{shape[0]}" for shape in (image.shape, read.masks.shape[1:])]
        message = (
            f"{sample.id}: the image is {sizes[0]} and its mask {sizes[1]} (width x height), "
            f"expected the same: correct or remove {sample.image} and {file}"
        )
        raise DatasetError(message)
    return Pair(image, read.masks, read.known)


def _choose_box(sample: Sample, native: Pair, preparation: Preparation) -> Box:
    if preparation.crop_margin is None:
        return find_box(native.image, preparation.cleaning)
    place = preparation.inputs.index(LESION)
    if not native.known[place]:
        message = f"{sample.id} has no lesion mask, and lesion_crop cuts the image to it: add one"
        raise DatasetError(message)
    return find_box(
        native.image,
        preparation.cleaning,
        lesion=native.masks[place],
        margin=preparation.crop_margin,
    )
