"""Regions as annotators of the ISIC challenges mark them: by superpixel.

The truth of ISIC 2017 Part 2 is a list of marks over about a thousand superpixels of each image,
and the masks of ISIC 2018 Task 2 are the marked superpixels: the region that shows a structure,
holes of the network and gaps between globules included, with jagged borders. Superpixels of
generated images are cells of a jittered grid: as compact and as large, but blind to the edges of
the image.

References:
    Codella et al. (2018), arXiv:1710.05006 (ISIC 2017); Codella et al. (2019), arXiv:1902.03368
    (ISIC 2018).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, Size

__all__ = ["Superpixels"]

_NUM_CELLS = 1000
_SMALLEST_CELL = 4  # pixels; a structure cannot be marked more finely than it can be drawn


class Superpixels:
    """Compact cells that cover an image.

    Args:
        rng: Source of the cells' shapes.
        size: (height, width).
    """

    def __init__(self, rng: np.random.Generator, size: Size) -> None:
        height, width = size
        self.side = max(_SMALLEST_CELL, float(np.sqrt(height * width / _NUM_CELLS)))
        rows, columns = (max(1, round(length / self.side)) for length in size)
        shift = rng.uniform(0.15, 0.85, (rows, columns, 2))
        y = ((np.arange(rows)[:, None] + shift[..., 0]) * (height / rows)).astype(int)
        x = ((np.arange(columns)[None, :] + shift[..., 1]) * (width / columns)).astype(int)
        empty = np.ones(size, np.uint8)
        empty[y, x] = 0
        _, labels = cv2.distanceTransformWithLabels(
            empty, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        self._labels = labels
        self._areas = np.maximum(np.bincount(labels.ravel()), 1)

    def mark(self, shape: NDArray[np.float32] | BoolMask, *, share: float) -> BoolMask:
        """Cells of which a structure covers more than ``share`` (0 to 1), (H, W) bool.

        Args:
            shape: (H, W), how much of the structure is at each pixel, 0 to 1.
            share: Mean of ``shape`` in a cell above which the cell is marked.
        """
        weights = np.asarray(shape, np.float32).ravel()
        sums = np.bincount(self._labels.ravel(), weights, minlength=len(self._areas))
        marked: BoolMask = (sums > share * self._areas)[self._labels]
        return marked

    def mark_group(self, shape: NDArray[np.float32], *, share: float) -> BoolMask:
        """As ``mark``, with the gaps of up to two cells between marked ones filled."""
        marked = self.mark(shape, share=share).astype(np.uint8)
        reach = 2 * round(self.side) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        padded = cv2.copyMakeBorder(marked, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
        closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[reach:-reach, reach:-reach]
        return self.mark(closed.astype(np.bool_), share=0.5) | marked.astype(np.bool_)
