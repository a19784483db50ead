"""Masks as polygons along the edges of pixels, and back.

A pixel (row, column) is the square from (column, row) to (column + 1, row + 1), and belongs to a
polygon if its centre lies inside, by the even-odd rule. So a polygon along pixel edges holds every
mask, down to single pixels and the holes of rings, and filling it gives the same mask bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, Size

__all__ = ["Region", "Ring", "fill_rings", "join_holes", "trace_regions"]

Ring = NDArray[np.float64]
"""Corners of a closed polygon, (N, 2) as (x, y) in pixels; the last is joined to the first."""


@dataclass(frozen=True)
class Region:
    """A 4-connected region of a mask.

    Attributes:
        outer: Its outer border, clockwise as the picture is seen.
        holes: The borders of its holes, counter-clockwise.
    """

    outer: Ring
    holes: list[Ring] = field(default_factory=list)


def trace_regions(mask: BoolMask) -> list[Region]:
    """The borders of a mask's regions, from top to bottom.

    Where two pixels touch at a corner only, two rings touch there; no ring crosses itself.

    Args:
        mask: (H, W) bool.

    Example:
        >>> (region,) = trace_regions(np.ones((2, 3), bool))
        >>> region.outer.tolist()
        [[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [0.0, 2.0]]
    """
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    regions: dict[int, Region] = {}
    for ring in _rings(mask):
        column, row = ring[0].astype(int).tolist()
        # The first corner is the uppermost of the leftmost ones' row: the pixel below it is inside
        # an outer border; above a hole's there is the region around it.
        inside = row < mask.shape[0] and column < mask.shape[1] and mask[row, column]
        if inside:
            regions[int(labels[row, column])] = Region(ring)
        else:
            regions[int(labels[row - 1, column])].holes.append(ring)
    return list(regions.values())


def _rings(mask: BoolMask) -> list[Ring]:
    """All borders, each from its uppermost corner, of these the leftmost, to the right."""
    padded = np.pad(mask, 1).astype(np.int8)
    above_left, above_right = padded[:-1, :-1], padded[:-1, 1:]
    left, right = padded[1:, :-1], padded[1:, 1:]
    total = above_left + above_right + left + right
    diagonal = (total == 2) & (above_left == right)
    is_corner = (total == 1) | (total == 3) | diagonal
    rows, columns = np.nonzero(is_corner)
    # Two rings touch in a diagonal corner, which therefore counts twice: first the ring that comes
    # from the left, then the one that goes to the right.
    num_copies = 1 + diagonal[rows, columns]
    falling = np.repeat(above_left[rows, columns] == 1, num_copies)
    rows, columns = np.repeat(rows, num_copies), np.repeat(columns, num_copies)
    second = np.r_[False, (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])]
    first = np.r_[second[1:], False]
    along_row = np.arange(rows.size) ^ 1
    # The ring that comes from the left turns up if the pixel above left is set, else down.
    is_lower = np.where(falling, second, first)
    order = np.lexsort((is_lower, rows, columns))
    along_column = np.empty_like(order)
    along_column[order] = order[np.arange(order.size) ^ 1]
    corners = np.column_stack([columns, rows]).astype(np.float64)
    return [corners[path] for path in _paths(along_row.tolist(), along_column.tolist())]


def _paths(along_row: list[int], along_column: list[int]) -> list[list[int]]:
    paths, seen = [], [False] * len(along_row)
    for start in range(len(along_row)):
        if seen[start]:
            continue
        path, corner = [], start
        while not seen[corner]:
            across = along_row[corner]
            seen[corner] = seen[across] = True
            path += [corner, across]
            corner = along_column[across]
        paths.append(path)
    return paths


def join_holes(region: Region) -> Ring:
    """One ring for a region with holes, for formats whose polygons have none.

    A cut without width leads to each hole and back, so that filling the ring gives the region.
    """
    parts = [region.outer]
    start = region.outer[:1]
    for hole in region.holes:
        parts += [start, hole, hole[:1]]
    return np.concatenate([*parts, start]) if region.holes else region.outer


def fill_rings(rings: Iterable[Sequence[Sequence[float]] | Ring], size: Size) -> BoolMask:
    """The pixels whose centres lie inside an odd number of rings.

    Args:
        rings: Corners (x, y) in pixels, anywhere; parts outside the picture are cut off.
        size: (height, width) of the mask.

    Raises:
        ValueError: If corners are no pairs of finite numbers.
    """
    starts, ends = [np.empty((0, 2))], [np.empty((0, 2))]
    for ring in rings:
        corners = np.asarray(ring, np.float64)
        if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
            raise ValueError("a polygon's corners are not pairs of finite numbers")
        starts.append(corners)
        ends.append(np.roll(corners, -1, axis=0))
    height, width = size
    rows, columns = _crossings(np.concatenate(starts), np.concatenate(ends), size)
    crossings = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(crossings, (rows, columns), 1)
    return np.bitwise_xor.accumulate(crossings, axis=1)[:, :width].astype(np.bool_)


def _crossings(starts: Ring, ends: Ring, size: Size) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of pixel centres that edges cross, and the first pixel behind each edge there."""
    height, width = size
    # From top to bottom: an edge that is passed in both directions is cut at the same places.
    is_up = starts[:, 1] > ends[:, 1]
    upper = np.where(is_up[:, None], ends, starts)
    lower = np.where(is_up[:, None], starts, ends)
    first, last = (
        np.clip(np.ceil(points[:, 1] - 0.5), 0, height).astype(np.int64)
        for points in (upper, lower)
    )
    num_rows = last - first
    edges = np.repeat(np.arange(len(starts)), num_rows)
    rows = np.arange(edges.size) - np.repeat(np.cumsum(num_rows) - num_rows, num_rows)
    rows += first[edges]
    share = (rows + 0.5 - upper[edges, 1]) / (lower[edges, 1] - upper[edges, 1])
    x = upper[edges, 0] + share * (lower[edges, 0] - upper[edges, 0])
    return rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
