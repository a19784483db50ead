"""Generated pictures of anything but a lesion, to tell what a model was not made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from dermseg.phantom.noise import add_grain, fractal_noise
from dermseg.phantom.scenes import landscape, room, still_life
from dermseg.types import ImageArray, Size

__all__ = ["PICTURES", "create_picture"]

_LETTERS = "etaoin shrdlu cmfwyp vbgkjq xz ETAOIN 0123456789 .,;:"


def create_picture(seed: int, *, size: Size = (192, 256)) -> ImageArray:
    """Generate a picture that is no dermoscopic photograph.

    The kinds in ``PICTURES`` take turns. A third of the pictures are grey.

    Args:
        seed: Not negative.
        size: (height, width).

    Returns:
        (H, W, 3) uint8 RGB.
    """
    rng = np.random.default_rng([seed, *b"picture"])
    kind = list(PICTURES)[seed % len(PICTURES)]
    picture = PICTURES[kind](rng, size)
    if rng.random() < 1 / 3:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    sigma = rng.uniform(0.3, 2.0)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def _objects(rng: np.random.Generator, size: Size) -> ImageArray:
    """Shapes of all sizes that hide each other, whose statistics are those of photographs.

    References:
        Lee, Mumford and Huang (2001), doi:10.1023/A:1011109015675.
    """
    height, width = size
    picture = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    tint, spread = rng.uniform(20, 235, 3), rng.uniform(10, 90)
    for _ in range(int(rng.integers(40, 500))):
        # Frequency falls with the cube of the size.
        radius = min(3 / np.sqrt(rng.random()), max(size) / 2)
        color = np.clip(rng.normal(tint, spread), 0, 255).tolist()
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.2, 1))))
        if rng.random() < 0.5:
            cv2.ellipse(picture, centre, axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
        else:
            corners = cv2.boxPoints((centre, axes, rng.uniform(0, 180)))
            cv2.fillConvexPoly(picture, np.rint(corners).astype(np.int32), color, cv2.LINE_AA)
    return add_grain(rng, picture)


def _document(rng: np.random.Generator, size: Size) -> ImageArray:
    """Lines of letters on paper."""
    height, width = size
    paper, ink = rng.uniform(170, 255), rng.uniform(0, 90)
    picture = np.full((height, width, 3), paper, np.uint8)
    scale = rng.uniform(0.25, 1.2)
    step = max(6, round(26 * scale))
    for bottom in range(step, height + step, step):
        letters = "".join(rng.choice(list(_LETTERS), 80))
        at = (int(rng.integers(0, step)), bottom)
        cv2.putText(picture, letters, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (ink, ink, ink), 1)
    light = 1 - rng.uniform(0, 0.4) * fractal_noise(rng, size, cells=2)[..., None]
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def _tissue(rng: np.random.Generator, size: Size) -> ImageArray:
    """Stained nuclei in paler tissue, as under a microscope."""
    height, width = size
    ground = np.array([rng.uniform(200, 245), rng.uniform(140, 225), rng.uniform(180, 235)])
    noise = fractal_noise(rng, size, cells=6, octaves=4)[..., None]
    picture = np.clip(ground - 25 * noise, 0, 255).astype(np.uint8)
    nucleus = np.array([rng.uniform(60, 130), rng.uniform(40, 110), rng.uniform(110, 180)])
    radius = rng.uniform(2, 7)
    for _ in range(int(rng.uniform(0.05, 0.5) * height * width / radius**2)):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (round(radius * rng.uniform(0.7, 1.3)), round(radius * rng.uniform(0.4, 1)))
        color = np.clip(rng.normal(nucleus, 15), 0, 255).tolist()
        cv2.ellipse(picture, centre, axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
    return add_grain(rng, picture)


def _glands(rng: np.random.Generator, size: Size) -> ImageArray:
    """Stained glands with their openings, and nuclei between them, as under a microscope."""
    height, width = size
    ground = rng.uniform(205, 245, 3)
    noise = fractal_noise(rng, size, cells=8, octaves=4)[..., None]
    picture = np.clip(ground - 15 * noise, 0, 255).astype(np.uint8)
    nucleus = np.array([rng.uniform(90, 150), rng.uniform(100, 150), rng.uniform(150, 200)])
    for _ in range(int(rng.uniform(0.002, 0.02) * height * width)):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        color = np.clip(rng.normal(nucleus, 12), 0, 255).tolist()
        cv2.ellipse(picture, centre, (2, 1), rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
    inside, openings = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    for _ in range(int(rng.integers(3, 12))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = rng.uniform(0.1, 0.45) * min(size) * np.array([1, rng.uniform(0.4, 0.9)])
        holes = axes * rng.uniform(0.1, 0.4) * np.array([1, rng.uniform(0.3, 1)])
        turn = rng.uniform(0, 180)
        for where, radii in ((inside, axes), (openings, holes)):
            cv2.ellipse(where, centre, np.rint(radii).astype(int).tolist(), turn, 0, 360, 1, -1)
    rim = inside - cv2.erode(inside, np.ones((3, 3), np.uint8))
    stain = np.array([rng.uniform(150, 215), rng.uniform(90, 150), rng.uniform(60, 190)])
    strands = fractal_noise(rng, size, cells=rng.uniform(15, 40), octaves=3)[..., None]
    stained = np.clip(stain - rng.uniform(10, 35) * strands, 0, 255).astype(np.uint8)
    picture[inside > 0] = stained[inside > 0]
    picture[rim > 0] = np.clip(stain - rng.uniform(20, 60), 0, 255).astype(np.uint8)
    picture[openings > 0] = np.clip(ground + 5, 0, 255).astype(np.uint8)
    return add_grain(rng, picture)


def _pattern(rng: np.random.Generator, size: Size) -> ImageArray:
    """Grain of any colour: grass, fur, walls, clouds."""
    gain = rng.uniform(0.5, 1)
    layers = [
        fractal_noise(rng, size, cells=rng.uniform(2, 20), octaves=7, gain=gain) for _ in range(3)
    ]
    colors = rng.uniform(-80, 80, (3, 3)) + rng.uniform(-60, 60, (3, 1))
    values = rng.uniform(40, 215, 3) + np.stack(layers, axis=2) @ colors
    return add_grain(rng, np.clip(values, 0, 255).astype(np.uint8))


PICTURES: Final[Mapping[str, Callable[[np.random.Generator, Size], ImageArray]]] = MappingProxyType(
    {
        "objects": _objects,
        "document": _document,
        "tissue": _tissue,
        "pattern": _pattern,
        "glands": _glands,
        "room": room,
        "still_life": still_life,
        "landscape": landscape,
    }
)
"""Kinds of pictures by name."""
