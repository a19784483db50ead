"""What the masks of the training images hold: whether anything can be learned from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets import LESION
from dermseg.datasets.pairs import Pair
from dermseg.errors import DatasetError
from dermseg.types import BoolMask

__all__ = ["MaskCounts"]

_FRAME_SHARE = 0.9
"""Of the pixels at the image's border that are marked where a mask may be inverted."""


class MaskCounts:
    """What the masks of the training images hold, counted as they are read.

    Args:
        classes: What is learned; the masks of a pair begin with these.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._counts = {name: Counter[str]() for name in classes}

    def count(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """Look at pairs on their way to somebody else."""
        for pair in pairs:
            # A pair may hold the lesion besides, where nothing outside it is learned.
            for name, mask, is_known in zip(self._classes, pair.masks, pair.known, strict=False):
                if is_known:
                    self._counts[name].update(["known", _describe(mask)])
            yield pair

    def find_warnings(self) -> list[str]:
        """What is odd about the masks, in a sentence each.

        Raises:
            DatasetError: If all masks of the lesion are empty, or all of them full.
        """
        found = []
        for name, counts in self._counts.items():
            known = counts["known"]
            if name == LESION and known and known in (counts["empty"], counts["full"]):
                state = "empty" if counts["empty"] else "full: every pixel is lesion"
                message = (
                    f"all {known} masks to train on are {state}, and nothing can be learned from "
                    "them: look at the files, or let `dermseg data check` do it; lesion is 255 (or "
                    "1), skin is 0"
                )
                raise DatasetError(message)
            if known and counts["empty"] == known:
                found.append(f"all {known} masks of {name} are empty: nothing of it can be learned")
            if counts["inverted"] > known / 2:
                found.append(
                    f"{counts['inverted']} of {known} masks of {name} look inverted: the frame of "
                    "the image is marked and its middle is not; lesion is 255, skin is 0"
                )
        return found


def _describe(mask: BoolMask) -> str:
    if not mask.any():
        return "empty"
    if mask.all():
        return "full"
    frame: NDArray[np.bool_] = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    height, width = mask.shape
    middle = mask[height // 3 : -(height // 3), width // 3 : -(width // 3)]
    return "inverted" if frame.mean() > _FRAME_SHARE and middle.mean() < 0.5 else "usual"
