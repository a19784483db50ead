"""Streaks: radial lines at the border, with or without bulbs at their ends.

Terms: Kittler et al. (2016), doi:10.1016/j.jaad.2015.12.038: streaks, pseudopods and radial
streaming are radial lines at the lesion's edge, confluent towards its centre; pseudopods end in a
small clod.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import Canvas
from dermseg.phantom.attributes.layers import Layers
from dermseg.phantom.attributes.surface import Surface
from dermseg.phantom.noise import smoothstep
from dermseg.types import BoolMask

__all__ = ["draw_streaks"]

_NUM_POINTS = 6


def draw_streaks(layers: Layers, surface: Surface, rng: np.random.Generator) -> BoolMask:
    """Add streaks along parts of the border; returns the region that shows them, (H, W) bool.

    Args:
        layers: What is drawn on.
        surface: The lesion.
        rng: Source of the parts, number, length, width and kind of streaks.
    """
    radius = surface.lesion.radius
    width = surface.spacing(float(np.exp(rng.uniform(*np.log((0.008, 0.016))))), at_least=1.5)
    width = min(width, radius / 9)
    length = float(np.clip(rng.uniform(0.16, 0.36) * radius, 4 * width, 0.5 * radius))
    roots = _roots(surface, rng, gap=rng.uniform(1.9, 3.0) * width)
    if not len(roots):
        return np.zeros_like(surface.mask)
    shape = _strokes(surface, rng, roots, width=width, length=length)
    blur = rng.uniform(0.2, 0.5) * width
    if blur > 0.35:
        shape = np.asarray(cv2.GaussianBlur(shape, (0, 0), blur), np.float32)
    region = surface.cells.mark_group(shape * surface.mask, share=0.15) & surface.mask
    # Up to the border itself: only the mask ends them there.
    shape = np.where(region, shape, np.float32(0))
    amplitude = np.float32(np.exp(rng.uniform(*np.log((0.5, 1.3)))))
    layers.pigment.melanin[:] += amplitude * (1 - 0.3 * surface.darkness) * shape
    # Skin shows between the fingers, the more the nearer to the border.
    depth = surface.lesion.distance
    rim = 1 - smoothstep(depth, 0.2 * length, 1.1 * length)
    between = np.where(region, rim * (1 - shape), 0)
    layers.removed[:] = np.maximum(layers.removed, np.float32(rng.uniform(0.2, 0.6)) * between)
    # Inwards they flow together.
    band = smoothstep(depth, 0.4 * length, length) * surface.window(region)
    layers.pigment.melanin[:] += np.float32(rng.uniform(0.1, 0.35)) * amplitude * band
    return region


def _roots(surface: Surface, rng: np.random.Generator, *, gap: float) -> NDArray[np.int64]:
    """Points of the border at which streaks end, (N, 2) as (x, y), away from the image's edge."""
    border = surface.lesion.border[:, ::-1].astype(np.int64)
    count = len(border)
    chosen = np.zeros(count, np.bool_)
    shares = (1.0,) if rng.random() < 0.15 else rng.uniform(0.08, 0.3, rng.integers(1, 4))
    for share in shares:
        start = rng.integers(count)
        chosen[np.arange(start, start + max(1, int(share * count))) % count] = True
    steps = np.hypot(*(border - np.roll(border, 1, axis=0)).T)
    position = np.cumsum(steps * np.repeat(rng.uniform(0.5, 1.5, count // 3 + 1), 3)[:count])
    firsts = np.flatnonzero(np.diff(position // gap, prepend=-1.0) > 0)
    roots = border[firsts[chosen[firsts]]]
    height, width = surface.mask.shape
    free = (roots > 2).all(axis=1) & (roots[:, 0] < width - 3) & (roots[:, 1] < height - 3)
    return np.asarray(roots[free], np.int64)


def _strokes(
    surface: Surface,
    rng: np.random.Generator,
    roots: NDArray[np.int64],
    *,
    width: float,
    length: float,
) -> NDArray[np.float32]:
    """Cover of the streaks, (H, W) float32 in 0 to 1; lengths in pixels."""
    inwards = _inwards(surface, roots, length)
    turn = rng.normal(0, 0.22, len(roots)) + rng.normal(0, 0.1)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    heading = inwards * cos + np.stack([-inwards[:, 1], inwards[:, 0]], axis=1) * sin
    side = np.stack([-heading[:, 1], heading[:, 0]], axis=1)
    t = np.linspace(0, 1, _NUM_POINTS)[None, :, None]
    lengths = (length * np.exp(rng.normal(-0.15, 0.35, len(roots))))[:, None, None]
    starts = (0.3 * width + 0.3 * length * rng.random(len(roots)) ** 2)[:, None, None]
    bend = rng.normal(0, 0.12, len(roots))[:, None, None]
    courses = roots[:, None] + 0.5 + heading[:, None] * (starts + t * lengths)
    courses = courses + side[:, None] * bend * t**2 * lengths
    canvas = Canvas((surface.mask.shape[0], surface.mask.shape[1]))
    short = surface.short
    bulbs = rng.random() < 0.5
    # Thick and dark outside as pseudopods, or outside thin as radial streaming.
    widths = (1.0, 0.9, 0.75) if bulbs else (0.7, 1.0, 1.0)
    opacities = rng.uniform(0.45, 1.0, len(roots))
    thick = width / short * np.exp(rng.normal(0, 0.2, len(roots)))
    for course, opacity, size in zip(courses / short, opacities, thick, strict=True):
        for first, share, fading in zip((3, 1, 0), widths[::-1], (0.45, 0.8, 1.0), strict=True):
            part = course[first : first + 3]
            canvas.line(part, width=share * size, opacity=opacity * fading)
        if bulbs:
            canvas.line(course[:1].repeat(2, axis=0), width=1.7 * size, opacity=opacity)
    return canvas.coverage()


def _inwards(surface: Surface, roots: NDArray[np.int64], length: float) -> NDArray[np.float64]:
    """Directions (N, 2) as (x, y), of length 1, from the border into the lesion."""
    smooth = cv2.GaussianBlur(surface.lesion.distance, (0, 0), max(1.0, 0.5 * length))
    x, y = roots.T
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[y, x]
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[y, x]
    direction = np.stack([right, down], axis=1).astype(np.float64)
    norms = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    return np.asarray(direction / norms, np.float64)
