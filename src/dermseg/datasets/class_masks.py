"""Reading the masks of classes: the lesion, and the attributes inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.superpixels import Labels, paint_superpixels, read_features, read_superpixels
from dermseg.errors import DatasetError, ImageError
from dermseg.images import read_mask
from dermseg.types import BoolMask, ClassMask, FloatArray, MaskStack, Sample, SuperpixelFeature

__all__ = [
    "LESION",
    "ClassMasks",
    "find_class_mask",
    "has_mask",
    "is_lesion_only",
    "known_masks",
    "read_class_mask",
    "read_class_masks",
]

LESION: Final = "lesion"
"""The class whose mask is the sample's own, ``Sample.mask``."""


@dataclass(frozen=True)
class ClassMasks:
    """The known masks of the classes of one image.

    Attributes:
        masks: (C, H, W) bool; all False where the class is not known.
        known: (C,) bool. Where it is False, the mask says nothing, neither for nor against.
    """

    masks: MaskStack
    known: NDArray[np.bool_]


def is_lesion_only(classes: Sequence[str]) -> bool:
    """Whether the lesion is all that is looked for.

    Nearly every image has a lesion, so lesions are judged image by image. Most images do not have
    most attributes, and such an image scores 1 or 0 by a single pixel: attributes are judged over
    the pixels of all images.
    """
    return list(classes) == [LESION]


def find_class_mask(sample: Sample, name: str) -> ClassMask | None:
    """Say where the mask of a class is; None if it is not known."""
    return sample.mask if name == LESION else sample.attributes.get(name)


def has_mask(sample: Sample, classes: Iterable[str]) -> bool:
    """Whether the mask of any of the classes is known."""
    return any(find_class_mask(sample, name) is not None for name in classes)


def read_class_mask(mask: ClassMask) -> BoolMask:
    """Read the mask of one class.

    Several features of one map are read faster by `read_class_masks`, which decodes it once.

    Returns:
        (H, W) bool; empty where the class is known not to occur.

    Raises:
        ImageError: If a file cannot be read, or does not have the feature.
        DatasetError: If features and superpixels do not belong together.
    """
    return _Reader().read(mask)


def read_class_masks(sample: Sample, classes: Sequence[str]) -> ClassMasks:
    """Read the masks of some classes of an image.

    Args:
        sample: At least one of the classes must be known of it.
        classes: Names of attributes, or ``lesion``; their order is that of the result.

    Raises:
        ImageError: If a file cannot be read, or does not have the feature.
        DatasetError: If no class is known, two masks differ in size, or features and superpixels
            do not belong together.
    """
    reader = _Reader()
    found = {name: find_class_mask(sample, name) for name in classes}
    read = {name: reader.read(mask) for name, mask in found.items() if mask is not None}
    if not read:
        have = [LESION] * (sample.mask is not None) + list(sample.attributes)
        message = (
            f"{sample.id} has no mask of {' or '.join(classes) or 'no class'}; it has "
            f"{', '.join(have) or 'none at all'}"
        )
        raise DatasetError(message)
    sizes = {name: mask.shape for name, mask in read.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size[1]}x{size[0]}" for name, size in sizes.items())
        message = (
            f"{sample.id}: its masks differ in size (width x height): {listed}; correct or remove "
            "them"
        )
        raise DatasetError(message)
    empty = np.zeros(next(iter(sizes.values())), np.bool_)
    return ClassMasks(
        np.stack([read.get(name, empty) for name in classes]),
        np.array([name in read for name in classes]),
    )


def known_masks(sample: Sample, classes: Sequence[str]) -> dict[str, BoolMask]:
    """Read the masks that there are of some classes, (H, W) each, in the order of the classes.

    Beside others, a class of which it is only known that the image does not show it has an empty
    mask.

    Raises:
        ImageError: If a mask cannot be read.
        DatasetError: If two masks differ in size.
    """
    masked = [name for name in classes if find_class_mask(sample, name) is not None]
    if not masked:
        return {}
    masks = dict(zip(masked, read_class_masks(sample, masked).masks, strict=True))
    absent = (name for name, is_shown in sample.presence.items() if not is_shown)
    known = {name: np.zeros_like(masks[masked[0]]) for name in absent} | masks
    return {name: known[name] for name in classes if name in known}


class _Reader:
    """Reads class masks, and each file of superpixels and features once."""

    def __init__(self) -> None:
        self._labels: dict[Path, Labels] = {}
        self._features: dict[Path, dict[str, FloatArray]] = {}

    def read(self, mask: ClassMask) -> BoolMask:
        if not isinstance(mask, SuperpixelFeature):
            return read_mask(mask)
        if mask.features not in self._features:
            self._features[mask.features] = read_features(mask.features)
        features = self._features[mask.features]
        if mask.name not in features:
            reason = f"the feature {mask.name} is not in it, only {', '.join(features)}"
            raise ImageError(str(mask.features), reason)
        if mask.superpixels not in self._labels:
            self._labels[mask.superpixels] = read_superpixels(mask.superpixels)
        try:
            return paint_superpixels(self._labels[mask.superpixels], features[mask.name])
        except DatasetError as error:
            message = f"{mask.features}, with {mask.superpixels.name}: {error}"
            raise DatasetError(message) from error
