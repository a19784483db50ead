"""Smooth random fields that look the same at every image size, and the grain of cameras."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import ImageArray, Size

__all__ = ["add_grain", "fractal_noise", "oriented_noise", "smoothstep"]


def fractal_noise(
    rng: np.random.Generator, size: Size, *, cells: float, octaves: int = 1, gain: float = 0.5
) -> NDArray[np.float32]:
    """Sum of smooth random fields, each twice as fine as the one before.

    The values come from lattices whose shape depends on the proportions of the image alone, so
    that one seed gives one picture at every size; octaves finer than the pixels are left out.

    Args:
        rng: Advanced by one draw, whatever the size.
        size: (height, width) of the field.
        cells: Lattice cells of the coarsest octave along the shorter side.
        octaves: Number of fields that are added.
        gain: Amplitude of each octave relative to the one before.

    Returns:
        (H, W) field with mean about 0 and standard deviation about 1.
    """
    # A generator of its own keeps the caller's stream independent of the number of octaves.
    lattice_rng = np.random.default_rng(rng.integers(2**63))
    height, width = size
    short = min(size)
    field = np.zeros(size, np.float32)
    variance = 0.0
    for octave in range(octaves):
        count = cells * 2**octave
        if octave and count > short / 1.5:
            break
        amplitude = gain**octave
        rows, columns = (max(2, round(side / short * count)) for side in size)
        lattice = lattice_rng.standard_normal((rows, columns), np.float32)
        # Cubic interpolation keeps about 0.75 of the variance of white noise.
        field += amplitude * cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
        variance += 0.75 * amplitude**2
    field *= 1 / np.sqrt(variance)
    return field


def oriented_noise(
    rng: np.random.Generator, size: Size, *, cells: float, stretch: float, angle: float
) -> NDArray[np.float32]:
    """Smooth random field drawn out in one direction.

    Args:
        rng: Advanced by one draw, whatever the size.
        size: (height, width) of the field.
        cells: Lattice cells across the grain along the shorter side of the image.
        stretch: How much longer than wide the features are.
        angle: Direction of the grain in radians.

    Returns:
        (H, W) field with mean about 0 and standard deviation about 1.
    """
    lattice_rng = np.random.default_rng(rng.integers(2**63))
    height, width = size
    across = cells / min(size)  # lattice cells per pixel
    along = across / stretch
    reach = float(np.hypot(height, width))
    shape = (max(2, int(np.ceil(reach * across))), max(2, int(np.ceil(reach * along))))
    lattice = lattice_rng.standard_normal(shape, np.float32)
    cos, sin = np.cos(angle), np.sin(angle)
    to_lattice = np.array([[along * cos, along * sin, 0.0], [-across * sin, across * cos, 0.0]])
    to_lattice[:, 2] = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    to_lattice[:, 2] -= to_lattice[:, :2] @ (width / 2, height / 2)
    field = cv2.warpAffine(
        lattice,
        to_lattice,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    field *= 1 / np.sqrt(0.75)
    return field.astype(np.float32, copy=False)


def smoothstep(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Rise from 0 at ``low`` to 1 at ``high`` with zero slope at both ends."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    rise: NDArray[np.float32] = t * t * (3 - 2 * t)
    return rise


def add_grain(rng: np.random.Generator, picture: NDArray[Any]) -> ImageArray:
    """Pixels with the grain of a camera, of which some have none.

    Args:
        rng: Source of randomness.
        picture: (H, W, 3) red, green and blue, in [0, 255] or beyond.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    noisy = picture + rng.normal(0, rng.uniform(0, 12), picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
