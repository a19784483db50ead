"""Small pictures of pairs, and which pairs are worth one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.audit.auditing import Audit
from dermseg.audit.pairs import KINDS, ImagePair
from dermseg.errors import ImageError
from dermseg.images import read_image
from dermseg.preprocessing import limited_size, resize_image
from dermseg.types import ImageArray, Size

__all__ = ["TILE", "UNCOVERED", "PairPictures", "choose_pairs", "draw_pictures"]

TILE: Final[Size] = (150, 200)
"""Largest size of a picture."""

UNCOVERED: Final = (225, 225, 225)
"""Where there is nothing to show."""


@dataclass(frozen=True)
class PairPictures:
    """Small versions of two images, with their aspect; None for one that cannot be read.

    Attributes:
        first: At most `TILE`, RGB.
        overlay: The first image as it lies over the second, in the size of ``second``; None
            where that is not known.
        second: At most `TILE`, RGB.
    """

    first: ImageArray | None
    overlay: ImageArray | None
    second: ImageArray | None


def choose_pairs(audit: Audit, max_pairs: int) -> list[ImagePair]:
    """Choose a fair share of each kind, leaks first.

    Some pairs of each kind of leak are taken, then some of each kind within one place. Within a
    kind, pairs with different ids come first, the least certain ahead: they are worth a look.
    """
    queues: list[list[ImagePair]] = []
    for leak in (True, False):
        for kind in KINDS:
            pairs = [
                pair
                for pair in audit.pairs
                if pair.kind == kind and pair.is_leak(audit.items) == leak
            ]
            pairs.sort(key=_interest)
            queues.append(pairs)
    share = dict.fromkeys(range(len(queues)), 0)
    while sum(share.values()) < max_pairs:
        open_queues = [index for index in share if share[index] < len(queues[index])]
        if not open_queues:
            break
        share[min(open_queues, key=share.__getitem__)] += 1
    return [pair for index, queue in enumerate(queues) for pair in queue[: share[index]]]


def draw_pictures(audit: Audit, pair: ImagePair) -> PairPictures:
    """Read both images of a pair and make them small."""
    one, other = (_read(audit.items[index].path) for index in (pair.first, pair.second))
    overlay = None
    if pair.alignment is not None and one is not None and other is not None:
        overlay = _lay_over(one, other, pair.alignment.matrix)
    return PairPictures(_shrink(one), overlay, _shrink(other))


def _interest(pair: ImagePair) -> tuple[bool, float]:
    """Rank a pair; pairs that equal ids reveal anyway come last."""
    return "id" in pair.evidence, pair.alignment.similarity if pair.alignment else 1


def _read(path: Path) -> ImageArray | None:
    try:
        return read_image(path)
    except ImageError:
        return None


def _shrink(image: ImageArray | None) -> ImageArray | None:
    return None if image is None else resize_image(image, _shrunk_size(image))


def _shrunk_size(image: ImageArray) -> Size:
    height, width = image.shape[:2]
    scale = min(TILE[0] / height, TILE[1] / width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _lay_over(one: ImageArray, other: ImageArray, matrix: NDArray[np.float64]) -> ImageArray:
    """The first image as it lies over the second, small.

    Args:
        one: The first image.
        other: The second image.
        matrix: From pixels of the second to pixels of the first, (2, 3).
    """
    size = _shrunk_size(other)
    reduced = limited_size((one.shape[0], one.shape[1]), 2 * max(TILE))
    reduce = np.diag([reduced[1] / one.shape[1], reduced[0] / one.shape[0], 1])
    enlarge = np.diag([other.shape[1] / size[1], other.shape[0] / size[0], 1])
    whole = reduce @ np.vstack([matrix, [0, 0, 1]]) @ enlarge
    warped = cv2.warpAffine(
        resize_image(one, reduced),
        whole[:2],
        size[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=UNCOVERED,
    )
    return np.asarray(warped, np.uint8)
