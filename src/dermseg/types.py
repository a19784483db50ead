"""Values that several layers pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolMask", "FloatArray", "ImageArray", "Sample", "Size", "Split"]

ImageArray: TypeAlias = NDArray[np.uint8]
"""RGB image, (H, W, 3) uint8."""

BoolMask: TypeAlias = NDArray[np.bool_]
"""Binary mask, (H, W) bool."""

FloatArray: TypeAlias = NDArray[np.floating[Any]]

Size: TypeAlias = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True)
class Sample:
    """One image of a dataset, with its mask where there is one.

    Attributes:
        id: Unique in its dataset, for ISIC images ``ISIC_0000000``.
        image: Path of the image file.
        mask: Path of the lesion mask, or None for images without truth.
        group: What must not be torn apart by a split, e.g. the lesion; the id itself where
            nothing is known.
        part: The official part (``train``, ``validation``, ``test``), or None.
        metadata: What the dataset's tables say about the image, in words, for example
            ``diagnosis``, ``age``, ``sex``; a key is missing where nothing is known.
    """

    id: str
    image: Path
    mask: Path | None
    group: str
    part: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


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
