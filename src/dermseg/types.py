"""Values that several layers pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BoolMask",
    "ClassMask",
    "FloatArray",
    "ImageArray",
    "MaskStack",
    "Sample",
    "Size",
    "Split",
    "SuperpixelFeature",
]

ImageArray: TypeAlias = NDArray[np.uint8]
"""RGB image, (H, W, 3) uint8."""

BoolMask: TypeAlias = NDArray[np.bool_]
"""Binary mask, (H, W) bool."""

MaskStack: TypeAlias = NDArray[np.bool_]
"""Masks of several classes, (C, H, W) bool; a pixel may be in several of them."""

FloatArray: TypeAlias = NDArray[np.floating[Any]]

Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True)
class SuperpixelFeature:
    """A class mask that is stored as one flag per superpixel, as in ISIC 2017 Part 2.

    Attributes:
        superpixels: Path of the map: the superpixel of each pixel, as its colour.
        features: Path of the JSON file with the flags of each feature.
        name: The feature.
    """

    superpixels: Path
    features: Path
    name: str


ClassMask: TypeAlias = Path | SuperpixelFeature
"""Where the mask of one class is: a binary mask file, or a feature of a map of superpixels."""


@dataclass(frozen=True)
class Sample:
    """One image of a dataset, with its masks where there are some.

    Attributes:
        id: Unique in its dataset, for ISIC images ``ISIC_0000000``.
        image: Path of the image file.
        mask: Path of the lesion mask, or None for images without truth.
        group: What must not be torn apart by a split, e.g. the lesion; the id itself where
            nothing is known.
        part: The official part (``train``, ``validation``, ``test``), or None.
        metadata: What the dataset's tables say about the image, in words, for example
            ``diagnosis``, ``age``, ``sex``; a key is missing where nothing is known.
        attributes: Masks of the structures inside the lesion, by class, for example
            ``pigment_network``; they may overlap. A class that is missing is not known, which
            does not mean that the image lacks it; where it is known to, its mask is empty.
        presence: Classes of which somebody said whether the image shows them, though not where.
            Where a class has a mask, the mask counts.
    """

    id: str
    image: Path
    mask: Path | None
    group: str
    part: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    attributes: Mapping[str, ClassMask] = field(default_factory=dict, hash=False)
    presence: Mapping[str, bool] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Split:
    """Named parts of a dataset by sample id.

    Attributes:
        parts: Sample ids of each part, sorted; no id is in two parts.
        source: ``official``, ``seeded`` or the file that the split was read from.
        seed: The seed of a seeded split, else None.
    """

    parts: dict[str, tuple[str, ...]]
    source: str
    seed: int | None = None
    fractions: dict[str, float] = field(default_factory=dict)
