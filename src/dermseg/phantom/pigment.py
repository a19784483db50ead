"""Colours of the lesion: how its pigment is spread, and how strongly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.chromophores import Chromophores
from dermseg.phantom.lesion import Lesion
from dermseg.phantom.noise import fractal_noise, smoothstep

__all__ = ["create_pigment"]


def create_pigment(
    rng: np.random.Generator, lesion: Lesion, skin_rgb: NDArray[np.float32], *, contrast: float
) -> Chromophores:
    """Spread pigment over a lesion: regions of several colours under a fuzzy border.

    Args:
        rng: Source of regions, colours and textures.
        lesion: Where; pigment fades out around its border, a little of it outside.
        skin_rgb: (3,) colour of the skin in 0 to 255, against which the contrast is measured.
        contrast: How much darker the lesion is than the skin: 1 - mean grey of the lesion / grey of
            the skin, 0 to 0.85.
    """
    cover = _cover(rng, lesion)
    melanin = _melanin(rng, lesion)
    size = lesion.distance.shape
    per_radius = min(size) / lesion.radius

    vascular = rng.uniform(0.0, 0.3) if rng.random() < 0.88 else rng.uniform(0.5, 1.5)
    blood = np.float32(vascular) * (
        1 + 0.4 * fractal_noise(rng, size, cells=1.5 * per_radius, octaves=4, gain=0.6)
    )
    # Where melanin is dense some of it lies deep: the darkest browns turn grey.
    deep = np.float32(rng.uniform(0.02, 0.12)) * melanin * melanin
    if rng.random() < 0.3:  # blue-grey areas
        veil = smoothstep(fractal_noise(rng, size, cells=1.2 * per_radius, octaves=4), 0.3, 1.3)
        veil *= smoothstep(lesion.depth, 0.1, 0.45)
        deep += np.float32(rng.uniform(0.4, 1.0)) * veil
        melanin = melanin * (1 - np.float32(0.6) * veil)
    if rng.random() < 0.3:  # regression: pigment lost, pink or skin-coloured
        loss = smoothstep(fractal_noise(rng, size, cells=1.4 * per_radius, octaves=4), 0.4, 1.4)
        melanin = melanin * (1 - np.float32(rng.uniform(0.3, 0.8)) * loss)
        deep *= 1 - np.float32(0.7) * loss
    pigment = Chromophores(cover * np.maximum(melanin, 0.05), cover * blood, cover * deep)
    return pigment.scaled(_density_for(contrast, pigment, lesion, skin_rgb))


def _cover(rng: np.random.Generator, lesion: Lesion) -> NDArray[np.float32]:
    """Share of pigment at each pixel: 0 on the skin, 1 well inside; between them frayed."""
    size = lesion.distance.shape
    per_radius = min(size) / lesion.radius
    softness = rng.uniform(0.1, 0.65)
    fray = fractal_noise(rng, size, cells=2.5 * per_radius, octaves=4, gain=0.55)
    edge = lesion.depth + np.float32(0.17 * softness) * fray
    return smoothstep(edge, -0.25 * softness, softness)


def _melanin(rng: np.random.Generator, lesion: Lesion) -> NDArray[np.float32]:
    """Melanin inside the lesion, mean about 1: regions, blotches, a mesh and grains."""
    size = lesion.distance.shape
    per_radius = min(size) / lesion.radius
    regions = fractal_noise(rng, size, cells=1.2 * per_radius, octaves=4, gain=0.5)
    melanin = 1 + np.float32(rng.uniform(0.1, 0.4)) * regions
    melanin += np.float32(rng.uniform(-0.1, 1.0)) * (lesion.depth - np.float32(0.3))
    if rng.random() < 0.6:  # blotches of dense pigment
        blotches = fractal_noise(rng, size, cells=rng.uniform(1.5, 3) * per_radius, octaves=4)
        melanin += np.float32(rng.uniform(0.4, 1.4)) * smoothstep(blotches, 0.4, 1.6)
    # The mesh of the network belongs to the skin, not to the lesion: its scale is the image's.
    mesh = np.abs(fractal_noise(rng, size, cells=rng.uniform(20, 42), octaves=2, gain=0.4))
    melanin += np.float32(max(0.0, rng.uniform(-0.2, 0.4))) * smoothstep(-mesh, -0.9, 0)
    grains = fractal_noise(rng, size, cells=rng.uniform(25, 45), octaves=3, gain=0.8)
    melanin += np.float32(rng.uniform(0.02, 0.1)) * grains
    return np.asarray(np.maximum(melanin, 0.05), np.float32)


def _density_for(
    contrast: float, pigment: Chromophores, lesion: Lesion, skin_rgb: NDArray[np.float32]
) -> float:
    """Factor on the densities that gives the lesion its contrast."""
    inside = np.flatnonzero(lesion.mask)
    inside = inside[:: max(1, len(inside) // 4096)]  # the mean needs no more pixels
    sample = Chromophores(
        *(plane.reshape(-1, 1)[inside] for plane in (pigment.melanin, pigment.blood, pigment.deep))
    )
    weights = np.array([0.299, 0.587, 0.114], np.float32) * skin_rgb
    weights /= weights.sum()
    low, high = 0.0, 16.0
    for _ in range(24):
        middle = (low + high) / 2
        grey = float((sample.scaled(middle).transmission() @ weights).mean())
        low, high = (middle, high) if 1 - grey < contrast else (low, middle)
    return (low + high) / 2
