"""Hairs over skin and lesion."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import Canvas, blend, check_call
from dermseg.types import ImageArray

__all__ = ["draw_hairs"]

_COLORS = np.array(
    [[24, 20, 22], [44, 30, 26], [74, 48, 34], [112, 76, 50], [214, 204, 192]], np.float32
)
_COLOR_SHARES = (0.3, 0.3, 0.22, 0.12, 0.06)
_NUM_POINTS = 20
# From tip to root, so that each part covers the start of a thinner one: points, share of width.
_TAPER = ((16, 19, 0.35), (10, 16, 0.7), (0, 10, 1.0))


def draw_hairs(image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5) -> ImageArray:
    """Lay slightly curved hairs over an image, most of them in one direction.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of number, colour, width and course of the hairs.
        strength: 0 draws none, 1 a thicket of some sixty.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    canvas = Canvas(image.shape[:2])
    num_hairs = max(1, round(60 * strength * rng.uniform(0.5, 1.0)))
    base_width = rng.uniform(0.002, 0.0065)
    color = _COLORS[rng.choice(len(_COLORS), p=_COLOR_SHARES)] + rng.normal(0, 4, 3)
    paths = _paths(rng, num_hairs, canvas)
    widths = base_width * rng.uniform(0.6, 1.2, num_hairs)
    opacities = np.sort(rng.uniform(0.45, 0.95, num_hairs))  # the clearest on top
    for path, width, opacity in zip(paths, widths, opacities, strict=True):
        for first, last, share in _TAPER:
            canvas.line(path[first : last + 1], width=share * width, opacity=opacity)
    coverage = canvas.coverage()
    shadowed = _shade(image, coverage, base_width * min(coverage.shape))
    return blend(shadowed, np.clip(color, 0, 255).astype(np.float32), coverage)


def _paths(rng: np.random.Generator, num: int, canvas: Canvas) -> NDArray[np.float64]:
    """Courses of the hairs, (num, points, 2) as (x, y) from root to tip."""
    heading = rng.uniform(0, 2 * np.pi) + rng.normal(0, rng.uniform(0.15, 1.0), num)
    length = rng.uniform(0.3, 1.6) * rng.uniform(0.5, 1.2, num)
    # A bend that itself changes along the hair gives arcs, hooks and gentle S shapes.
    t = np.linspace(0, 1, _NUM_POINTS)
    bend = rng.normal(0, 0.5, (num, 1)) * t + rng.normal(0, 0.7, (num, 1)) * t**2
    direction = heading[:, None] + bend
    steps = np.stack([np.cos(direction), np.sin(direction)], axis=-1)
    steps *= (length / _NUM_POINTS)[:, None, None]
    course = np.cumsum(steps, axis=1)
    middle = rng.uniform(-0.1, 1.1, (num, 1, 2)) * (canvas.width, canvas.height)
    return np.asarray(course - course.mean(axis=1, keepdims=True) + middle, np.float64)


def _shade(image: ImageArray, coverage: NDArray[np.float32], width: float) -> ImageArray:
    """Darken the skin beside the hairs, where they keep the light away."""
    offset = np.array([[1, 0, 0.8 * width], [0, 1, 0.8 * width]])
    shadow = cv2.warpAffine(coverage, offset, coverage.shape[::-1])
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.7 * width))
    return blend(image, np.zeros(3, np.float32), np.float32(0.18) * shadow)
