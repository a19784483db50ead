"""Pigment network and negative network: a honeycomb of dark lines, and one of light lines.

Terms: Kittler et al. (2016), doi:10.1016/j.jaad.2015.12.038. A pigment network is reticular: brown
lines that cross nearly at right angles and leave holes, thicker or broken where it is atypical. A
negative network is its inverse: light, connected, winding lines between dark, elongated islands.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.attributes.layers import Layers
from dermseg.phantom.attributes.surface import Surface
from dermseg.phantom.noise import fractal_noise, smoothstep
from dermseg.types import BoolMask, Size

__all__ = ["draw_negative_network", "draw_pigment_network", "lesion_patch", "mesh"]

_CELL = 8  # pixels per hole of the mesh before it is brought to scale


def draw_pigment_network(
    layers: Layers, surface: Surface, rng: np.random.Generator, *, avoided: BoolMask
) -> BoolMask:
    """Add a patch of pigment network; returns the region that shows it, (H, W) bool.

    Args:
        layers: What is drawn on.
        surface: The lesion.
        rng: Source of extent, scale, contrast and regularity.
        avoided: (H, W) bool, where it is not drawn.
    """
    region = lesion_patch(surface, rng, share=_extent(rng)) & ~avoided
    window = surface.window(region)
    spacing = surface.spacing(float(np.exp(rng.uniform(*np.log((0.022, 0.046))))), at_least=4.5)
    irregular = rng.uniform(0.25, 0.75)
    distance = mesh(
        rng, region.shape, spacing, jitter=irregular, stretch=float(rng.uniform(1, 1.35))
    )
    cells = surface.short / spacing
    thick = fractal_noise(rng, region.shape, cells=cells / 5, octaves=2)
    width = np.float32(rng.uniform(0.13, 0.22)) * (1 + np.float32(0.3 * irregular) * thick)
    line = np.exp(-((distance / np.maximum(width, 0.7 / spacing)) ** 2))
    # Broken where pigment is thin, and never of one strength.
    gaps = fractal_noise(rng, region.shape, cells=cells / 3, octaves=2)
    line *= smoothstep(gaps, *((-2.4, -0.4) if irregular < 0.5 else (-1.6, 0.3)))
    line = _softened(rng, line, spacing)
    amplitude = np.float32(np.exp(rng.uniform(*np.log((0.38, 0.9)))))
    dark = surface.darkness
    layers.pigment.melanin[:] += amplitude * (1 - 0.4 * dark) * window * line
    # Holes are paler than before, so that the mesh is seen on dark ground too.
    hole = np.maximum(0, 1 - np.float32(1.6) * line)
    layers.removed[:] = np.maximum(layers.removed, (0.25 * amplitude + 0.35 * dark) * window * hole)
    return region


def draw_negative_network(layers: Layers, surface: Surface, rng: np.random.Generator) -> BoolMask:
    """Add a patch of negative network; returns the region that shows it, (H, W) bool.

    Args:
        layers: What is drawn on.
        surface: The lesion.
        rng: Source of extent, scale and contrast.
    """
    region = lesion_patch(surface, rng, share=_extent(rng))
    window = surface.window(region)
    spacing = surface.spacing(float(np.exp(rng.uniform(*np.log((0.028, 0.055))))), at_least=5.5)
    distance = mesh(
        rng, region.shape, spacing, jitter=rng.uniform(0.7, 1.1), stretch=rng.uniform(1.2, 1.7)
    )
    width = rng.uniform(0.15, 0.22)
    line = _softened(rng, np.exp(-((distance / np.float32(width)) ** 2)), spacing)
    island = smoothstep(distance, 0.12, 0.42)
    strength = np.float32(rng.uniform(0.35, 0.65))
    layers.removed[:] = np.maximum(layers.removed, strength * window * line)
    amplitude = np.float32(np.exp(rng.uniform(*np.log((0.1, 0.34)))))
    layers.pigment.melanin[:] += amplitude * (1 - 0.4 * surface.darkness) * window * island
    return region


def mesh(
    rng: np.random.Generator, size: Size, spacing: float, *, jitter: float, stretch: float
) -> NDArray[np.float32]:
    """Distance from the lines of a honeycomb, in units of the spacing of its holes.

    The lines are the borders between the cells of scattered points, bent by noise.

    Args:
        rng: Source of the points, the direction and the bends.
        size: (height, width).
        spacing: Mean distance between neighbouring holes in pixels.
        jitter: Displacement of the points from a hexagonal grid, 0 to 1 spacings.
        stretch: How much longer than wide the holes are, at least 1.

    Returns:
        (H, W) float32: 0 on a line, about 0.4 amid a hole.
    """
    height, width = size
    angle = rng.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    reach = float(np.hypot(height, width)) / spacing + 6  # holes across the diagonal
    counts = int(reach * np.sqrt(stretch)) + 1, int(reach / np.sqrt(stretch)) + 1
    field = _honeycomb(rng, counts, jitter)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(width / 2)
    scale = _CELL / spacing
    bend = np.float32(0.35 * _CELL)
    cells = min(size) / (4 * spacing)
    along = (x * cos + y * sin) * np.float32(scale / np.sqrt(stretch))
    across = (y * cos - x * sin) * np.float32(scale * np.sqrt(stretch))
    along = along + bend * fractal_noise(rng, size, cells=cells) + field.shape[1] / 2
    across = across + bend * fractal_noise(rng, size, cells=cells) + field.shape[0] / 2
    distance = cv2.remap(
        field,
        along.astype(np.float32, copy=False),
        across.astype(np.float32, copy=False),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(distance, np.float32)


def lesion_patch(surface: Surface, rng: np.random.Generator, *, share: float) -> BoolMask:
    """Superpixels of the lesion that make up about a share of it, (H, W) bool.

    Patches, rings along the border or the centre, as noise and the depth in the lesion decide.
    """
    size = surface.mask.shape
    inside = surface.mask
    level = fractal_noise(
        rng, size, cells=1.3 * surface.short / surface.lesion.radius, octaves=2, gain=0.4
    )
    level = level + np.float32(rng.uniform(-3.0, 2.0)) * surface.lesion.depth
    stride = max(1, surface.short // 256)
    threshold = float(np.quantile(level[::stride, ::stride][inside[::stride, ::stride]], 1 - share))
    patch = ((level > threshold) & inside).astype(np.uint8)
    # Specks and slivers would be marked, but show no more than a hole or two.
    reach = 2 * round(surface.cells.side) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    broad = cv2.morphologyEx(patch, cv2.MORPH_OPEN, kernel).astype(np.bool_)
    shown = broad if broad.any() else patch.astype(np.bool_)
    return surface.cells.mark(shown, share=0.4) & inside


def _extent(rng: np.random.Generator) -> float:
    """Share of the lesion that a network takes: mostly a part, now and then nearly all."""
    return float(rng.uniform(0.6, 0.9)) if rng.random() < 0.1 else float(rng.uniform(0.08, 0.45))


def _honeycomb(
    rng: np.random.Generator, counts: tuple[int, int], jitter: float
) -> NDArray[np.float32]:
    """Distance from the lines in units of the spacing, ``_CELL`` pixels per cell."""
    rows, columns = counts
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    x += 0.5 * (np.arange(rows) % 2)[:, None]
    shift = rng.uniform(-0.5, 0.5, (2, rows, columns)) * jitter
    points_y = np.clip((y + 0.5 + shift[0]) * _CELL, 0, rows * _CELL - 1).astype(int)
    points_x = np.clip((x + 0.25 + shift[1]) * _CELL, 0, columns * _CELL - 1).astype(int)
    empty = np.ones((rows * _CELL, columns * _CELL), np.uint8)
    empty[points_y, points_x] = 0
    _, labels = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    hole = np.ones_like(empty)
    hole[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    hole[1:][labels[1:] != labels[:-1]] = 0
    distance = cv2.distanceTransform(hole, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(cv2.GaussianBlur(distance, (3, 3), 0.6) * np.float32(1 / _CELL), np.float32)


def _softened(
    rng: np.random.Generator, line: NDArray[np.float32], spacing: float
) -> NDArray[np.float32]:
    sigma = rng.uniform(0.05, 0.16) * spacing
    if sigma < 0.35:
        return line
    return np.asarray(cv2.GaussianBlur(line, (0, 0), sigma), np.float32)
