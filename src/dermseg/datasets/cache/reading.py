"""Reading pairs from a cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.cache.arrays import open_arrays, unpack_masks
from dermseg.datasets.cache.index import Row
from dermseg.datasets.cache.planning import Inputs, find_inputs
from dermseg.datasets.pairs import Pair, Preparation
from dermseg.types import Sample, Size

__all__ = ["CachedPairs"]

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class CachedPairs:
    """Reads what a cache holds: the pairs that :class:`~.NativePairs` would make, bit for bit.

    The arrays are mapped into memory at the first use in each process, so they may be larger than
    memory and the object can be sent to other processes.

    Args:
        folder: The cache.
        preparation: What its pairs are made of.
        rows: The row of each sample, by the files that it was made from.
    """

    def __init__(self, folder: Path, preparation: Preparation, rows: Mapping[Inputs, Row]) -> None:
        self._folder = folder
        self._preparation = preparation
        self._rows = {inputs: (row.slot, frozenset(row.known)) for inputs, row in rows.items()}
        self._arrays: dict[Size, Arrays] = {}

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """Return the image and the masks of a sample at (height, width).

        Raises:
            KeyError: If the cache was not opened for this sample.
        """
        slot, known = self._rows[find_inputs(sample, self._preparation)]
        if size not in self._arrays:
            self._arrays[size] = open_arrays(self._folder, size)
        images, masks = self._arrays[size]
        classes = self._preparation.classes
        return Pair(
            np.array(images[slot]),
            unpack_masks(masks[slot], len(classes)),
            np.array([name in known for name in classes]),
        )

    def __getstate__(self) -> dict[str, object]:
        # A memory map would be sent with its content.
        return {**self.__dict__, "_arrays": {}}
