"""Masks of every shape that a format may lose."""

from __future__ import annotations

import numpy as np
import pytest

from dermseg.types import BoolMask

NUM_MASKS = 500


def _blobs(rng: np.random.Generator, size: tuple[int, int]) -> BoolMask:
    """Discs with discs cut out of them: regions, holes, and islands in holes."""
    mask = np.zeros(size, np.bool_)
    y, x = np.ogrid[: size[0], : size[1]]
    for number in range(int(rng.integers(1, 7))):
        centre_y, centre_x = rng.uniform(-2, size[0] + 2), rng.uniform(-2, size[1] + 2)
        disc = np.hypot(y - centre_y, x - centre_x) < rng.uniform(0.5, max(size) / 2)
        mask[disc] = number % 2 == 0
    return mask


def _lines(rng: np.random.Generator, size: tuple[int, int]) -> BoolMask:
    mask = np.zeros(size, np.bool_)
    mask[rng.integers(size[0]), :] = True
    mask[:, rng.integers(size[1])] = True
    diagonal = np.arange(min(size))
    mask[diagonal, diagonal] = True
    return mask


def generate_mask(number: int) -> BoolMask:
    rng = np.random.default_rng(number)
    size = int(rng.integers(1, 44)), int(rng.integers(1, 44))
    kind = number % 8
    if kind == 0:
        return np.full(size, number % 16 == 0)
    if kind in (1, 2):
        return rng.random(size) < (0.03 if kind == 1 else 0.5)
    if kind == 3:
        return _lines(rng, size)
    if kind == 4:
        return ~_lines(rng, size)
    return _blobs(rng, size)


@pytest.fixture(scope="session")
def masks() -> dict[str, BoolMask]:
    return {f"mole.{number:03}": generate_mask(number) for number in range(NUM_MASKS)}
