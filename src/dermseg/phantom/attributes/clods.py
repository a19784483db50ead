"""Globules and milia-like cysts: round brown clods, and bright white-yellow dots.

Terms: Kittler et al. (2016), doi:10.1016/j.jaad.2015.12.038. Globules are clods, brown to black or
blue-grey by the depth of their pigment, in clusters, evenly spread or along the border. Milia-like
cysts are round, white or yellow, sharp as stars or large and cloudy.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import Canvas
from dermseg.phantom.attributes.layers import Layers
from dermseg.phantom.attributes.surface import Surface
from dermseg.types import BoolMask

__all__ = ["draw_globules", "draw_milia", "ovals"]

_CLEAR = 0.3  # share of its full strength from which a clod counts as seen


def draw_globules(layers: Layers, surface: Surface, rng: np.random.Generator) -> BoolMask:
    """Add globules; returns the region that shows them, gaps included, (H, W) bool.

    Args:
        layers: What is drawn on.
        surface: The lesion.
        rng: Source of pattern, number, size, colour and sharpness.
    """
    radius = surface.spacing(float(np.exp(rng.uniform(*np.log((0.0085, 0.019))))), at_least=1.6)
    radius = min(radius, surface.lesion.radius / 6)
    centres = _scattered(surface, rng, radius)
    shape = ovals(
        rng,
        surface.mask.shape,
        centres,
        radius=radius * np.exp(rng.normal(0, 0.22, len(centres))),
        elongation=0.45,
    )
    blur = rng.uniform(0.2, 0.55) * radius
    if blur > 0.35:
        shape = np.asarray(cv2.GaussianBlur(shape, (0, 0), blur), np.float32)
    region = surface.cells.mark_group(shape * surface.mask, share=0.12) & surface.mask
    shape = np.where(region, shape, np.float32(0))
    amplitude = np.float32(np.exp(rng.uniform(*np.log((0.45, 1.3)))))
    dark = surface.darkness
    layers.pigment.melanin[:] += amplitude * (1 - 0.3 * dark) * shape
    if rng.random() < 0.3:  # pigment deep in the dermis looks blue-grey
        layers.pigment.deep[:] += np.float32(0.6) * amplitude * shape
    between = surface.window(region) * (1 - shape)
    layers.removed[:] = np.maximum(layers.removed, 0.45 * dark * between)
    return region


def draw_milia(layers: Layers, surface: Surface, rng: np.random.Generator) -> BoolMask:
    """Add milia-like cysts; returns the superpixels that show one, (H, W) bool.

    Arguments as of ``draw_globules``.
    """
    depth = surface.lesion.distance
    radius = float(np.exp(rng.uniform(*np.log((0.0055, 0.013))))) * surface.short
    radius = max(1.3, min(radius, surface.lesion.radius / 8))
    y, x = np.nonzero((depth > 2 * radius) & surface.mask)
    if not len(y):
        return np.zeros_like(surface.mask)
    number = round(float(np.exp(rng.uniform(*np.log((3, 24))))))
    chosen = rng.integers(len(y), size=4 * number)
    centres = np.stack([x[chosen], y[chosen]], axis=1) + 0.5
    if rng.random() < 0.4:  # in one part of the lesion
        middle = centres[0]
        centres = centres[np.argsort(np.linalg.norm(centres - middle, axis=1))]
    centres = _apart(centres, 3 * radius)[:number]
    sizes = radius * np.exp(rng.normal(0, 0.3, len(centres)))
    shape = ovals(rng, surface.mask.shape, centres, radius=sizes, elongation=0.15)
    blur = rng.uniform(0.2, 0.65) * radius
    shape = np.asarray(cv2.GaussianBlur(shape, (0, 0), max(0.35, blur)), np.float32)
    region = surface.cells.mark(shape > _CLEAR, share=0.04) & surface.mask
    shape = np.where(region, shape, np.float32(0))
    strength = np.float32(rng.uniform(0.45, 0.9))
    layers.keratin[:] = np.maximum(layers.keratin, strength * shape)
    return region


def ovals(
    rng: np.random.Generator,
    size: tuple[int, ...],
    centres: NDArray[np.floating],
    *,
    radius: NDArray[np.floating],
    elongation: float,
) -> NDArray[np.float32]:
    """Cover of round to oval, slightly uneven clods, (H, W) float32 in 0 to 1.

    Args:
        rng: Source of the shapes and of how full each is.
        size: (height, width).
        centres: (N, 2) as (x, y) in pixels.
        radius: (N,) in pixels.
        elongation: How much longer than wide the longest are, 0 for circles.
    """
    short = min(size)
    canvas = Canvas((size[0], size[1]))
    t = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    number = len(centres)
    angle = rng.uniform(0, np.pi, (number, 1))
    longer = np.sqrt(1 + elongation * rng.random((number, 1)))
    wobble = 1 + 0.1 * rng.normal(0, 1, (number, 1)) * np.cos(3 * t + 2 * angle)
    along, across = np.cos(t) * wobble * longer, np.sin(t) * wobble / longer
    x = centres[:, :1] + radius[:, None] * (along * np.cos(angle) - across * np.sin(angle))
    y = centres[:, 1:] + radius[:, None] * (along * np.sin(angle) + across * np.cos(angle))
    opacities = rng.uniform(0.6, 1.0, number)
    for outline, opacity in zip(np.stack([x, y], axis=2) / short, opacities, strict=True):
        canvas.area(outline, opacity=opacity)
    return canvas.coverage()


def _scattered(surface: Surface, rng: np.random.Generator, radius: float) -> NDArray[np.floating]:
    """Centres of globules as (x, y), at least two: clusters, a rim, or all over."""
    pattern = rng.choice(("clusters", "rim", "all over"), p=(0.6, 0.2, 0.2))
    depth = surface.lesion.distance
    allowed = surface.mask & (depth > 1.2 * radius)
    if pattern == "rim":
        allowed &= depth < rng.uniform(4, 8) * radius
    if not allowed.any():
        allowed = surface.mask
    y, x = np.nonzero(allowed)
    chosen = rng.integers(len(y), size=600)
    centres = np.stack([x[chosen], y[chosen]], axis=1) + rng.random((600, 2))
    if pattern == "clusters":
        middles = centres[: rng.integers(1, 4)]
        reach = rng.uniform(5, 13) * radius
        near = np.linalg.norm(centres[:, None] - middles, axis=2).min(axis=1)
        centres = centres[near < reach * np.sqrt(rng.random(len(centres)) + 0.15)]
    spread = _apart(centres, rng.uniform(2.4, 4.2) * radius)
    return spread[: rng.integers(12, 140)]


def _apart(centres: NDArray[np.floating], distance: float) -> NDArray[np.floating]:
    """Those centres, in order, that keep their distance from all before them; (N, 2)."""
    x, y = centres.T
    free = np.ones(len(centres), np.bool_)
    kept = []
    while free.any():
        first = int(free.argmax())
        kept.append(first)
        free &= (x - x[first]) ** 2 + (y - y[first]) ** 2 >= distance**2
        free[first] = False
    return centres[kept]
