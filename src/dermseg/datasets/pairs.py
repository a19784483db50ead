"""Images and lesion masks as a network is trained on them, before augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from dermseg.errors import DatasetError
from dermseg.images import read_image, read_mask
from dermseg.preprocessing import find_box, prepare_image, resize_mask
from dermseg.recipes import Cleaning
from dermseg.types import BoolMask, ImageArray, Sample, Size

__all__ = ["NativePairs", "Pair", "PairSource", "prepare_pair", "read_pair", "refuse_other_size"]

Pair: TypeAlias = tuple[ImageArray, BoolMask]
"""Image (H, W, 3) uint8 and mask (H, W) bool."""


class PairSource(Protocol):
    """Gives cleaned and resized pairs: from the files themselves, or from a cache of them."""

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """Return the image and the mask of a sample at (height, width).

        Raises:
            ImageError: If one of them cannot be read.
            DatasetError: If there is no mask, or it has another size than the image.
        """
        ...


@dataclass(frozen=True)
class NativePairs:
    """Reads, cleans and resizes the files themselves, every time.

    Attributes:
        cleaning: Which steps are on.
    """

    cleaning: Cleaning

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """See :class:`PairSource`."""
        (pair,) = prepare_pair(sample, [size], self.cleaning)
        return pair


def read_pair(sample: Sample) -> Pair:
    """Read an image and its mask at native size.

    Raises:
        ImageError: If one of them cannot be read.
        DatasetError: If there is no mask, or it has another size than the image.
    """
    if sample.mask is None:
        message = f"{sample.id} has no mask to learn from"
        raise DatasetError(message)
    image, mask = read_image(sample.image), read_mask(sample.mask)
    refuse_other_size(sample, image, mask, sample.mask)
    return image, mask


def refuse_other_size(sample: Sample, image: ImageArray, mask: BoolMask, file: Path) -> None:
    """Compare the sizes of an image and a mask.

    Raises:
        DatasetError: If they differ; it names the mask's file.
    """
    if mask.shape != image.shape[:2]:
        sizes = [f"{shape[1]}x{shape[0]}" for shape in (image.shape, mask.shape)]
        message = (
            f"{sample.id}: the image is {sizes[0]} and its mask {sizes[1]} (width x height), "
            f"expected the same: correct or remove {sample.image} and {file}"
        )
        raise DatasetError(message)


def prepare_pair(sample: Sample, sizes: Sequence[Size], cleaning: Cleaning) -> list[Pair]:
    """Read a pair once, and clean and resize it for each of some network sizes.

    Raises:
        ImageError: As `read_pair`.
        DatasetError: As `read_pair`.
    """
    image, mask = read_pair(sample)
    box = find_box(image, cleaning)
    return [
        (prepare_image(image, box, size, cleaning), resize_mask(mask[box.slices], size))
        for size in sizes
    ]
