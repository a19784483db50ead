"""Reading pairs from a cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.cache.arrays import open_arrays
from dermseg.datasets.pairs import Pair
from dermseg.types import Sample, Size

__all__ = ["CachedPairs"]

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class CachedPairs:
    """Reads what a cache holds: the pairs that :class:`~.NativePairs` would make, bit for bit.

    The arrays are mapped into memory at the first use in each process, so they may be larger than
    memory and the object can be sent to other processes.

    Args:
        folder: The cache.
        slots: The row of each sample, by the paths of image and mask.
    """

    def __init__(self, folder: Path, slots: Mapping[tuple[Path, Path | None], int]) -> None:
        self._folder = folder
        self._slots = slots
        self._arrays: dict[Size, Arrays] = {}

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """Return the image and the mask of a sample at (height, width).

        Raises:
            KeyError: If the cache was not opened for this sample.
        """
        slot = self._slots[sample.image, sample.mask]
        if size not in self._arrays:
            self._arrays[size] = open_arrays(self._folder, size)
        images, masks = self._arrays[size]
        return np.array(images[slot]), np.asarray(masks[slot]) != 0

    def __getstate__(self) -> dict[str, object]:
        # A memory map would be sent with its content.
        return {**self.__dict__, "_arrays": {}}
