"""Find pairs of images worth a closer look, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dermseg.preprocessing import Fingerprint, describe_discs

__all__ = ["Candidate", "find_candidates"]

_MAX_DISTANCE = 0.45
_NUM_ALWAYS, _NUM_AT_MOST = 2, 8
_NUM_DIMENSIONS = 24
_NUM_NEIGHBOURS = 96
_NUM_FITTED = 4096
_BLOCK = 1024


@dataclass(frozen=True)
class Candidate:
    """Two images, of which a part of one looks like the middle of the other.

    Attributes:
        first: Index of the one whose disc it is.
        second: Index of the one whose central disc it is.
        disc: Index in ``DISCS``.
        distance: Distance of the two discs, see ``describe_discs``.
    """

    first: int
    second: int
    disc: int
    distance: float


def find_candidates(fingerprints: Sequence[Fingerprint], *, num_workers: int) -> list[Candidate]:
    """Find for each image those that may show the same, turned, mirrored or cropped.

    The nearest neighbours of each image's central disc among all discs of all images, by a
    k-d tree in the directions in which the images differ most; their distances are then taken in
    full. An image gets at most 8 candidates of its own, and may be a candidate of others.

    Args:
        fingerprints: One of each image; of identical images, one is enough.
        num_workers: Threads of the search.

    Returns:
        Each pair once, with the disc that fits best, sorted by index.
    """
    if len(fingerprints) < 2:
        return []
    vectors = _describe(fingerprints)
    num_images, num_discs, _ = vectors.shape
    projected = _project(vectors)
    tree = cKDTree(projected.reshape(num_images * num_discs, -1))
    num_neighbours = min(_NUM_NEIGHBOURS, num_images * num_discs)
    best: dict[tuple[int, int], Candidate] = {}
    for start in range(0, num_images, _BLOCK):
        block = slice(start, min(start + _BLOCK, num_images))
        _, neighbours = tree.query(projected[block, 0], k=num_neighbours, workers=num_workers)
        for second, row in zip(range(block.start, block.stop), neighbours, strict=True):
            for candidate in _nearest(vectors, second, row):
                pair = (min(candidate.first, second), max(candidate.first, second))
                if pair not in best or candidate.distance < best[pair].distance:
                    best[pair] = candidate
    return [best[pair] for pair in sorted(best)]


def _describe(fingerprints: Sequence[Fingerprint]) -> NDArray[np.float32]:
    blocks = (
        describe_discs(np.stack([item.harmonics for item in fingerprints[start : start + _BLOCK]]))
        for start in range(0, len(fingerprints), _BLOCK)
    )
    return np.concatenate(list(blocks))


def _project(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Onto the directions of largest variance; distances can only shrink, so none is missed."""
    step = max(1, len(vectors) // _NUM_FITTED)
    sample = vectors[::step, 0].astype(np.float64)
    _, directions = np.linalg.eigh(np.cov(sample, rowvar=False))
    chosen = directions[:, -_NUM_DIMENSIONS:].astype(np.float32)
    return np.asarray(vectors @ chosen, np.float32)


def _nearest(
    vectors: NDArray[np.float32], second: int, neighbours: NDArray[np.intp]
) -> list[Candidate]:
    """The neighbours of an image's central disc that are near in full, one disc of each image."""
    num_discs = vectors.shape[1]
    images, discs = neighbours // num_discs, neighbours % num_discs
    distances = np.linalg.norm(vectors[images, discs] - vectors[second, 0], axis=-1)
    found: dict[int, Candidate] = {}
    for index in np.argsort(distances, kind="stable"):
        first = int(images[index])
        if len(found) >= (_NUM_AT_MOST if distances[index] <= _MAX_DISTANCE else _NUM_ALWAYS):
            break
        if first != second and first not in found:
            found[first] = Candidate(first, second, int(discs[index]), float(distances[index]))
    return list(found.values())
