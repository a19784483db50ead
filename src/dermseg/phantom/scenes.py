"""Generated views of what cameras are mostly pointed at: rooms, single things and landscapes."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.noise import add_grain, fractal_noise
from dermseg.types import ImageArray, Size

__all__ = ["landscape", "room", "still_life"]

_SKIES: Final = (
    (120, 170, 230), (150, 190, 240), (200, 205, 210), (240, 190, 140), (60, 80, 140)
)  # fmt: skip

Color = NDArray[np.float64]
"""(3,) red, green and blue, in [0, 255] or about."""


def room(rng: np.random.Generator, size: Size) -> ImageArray:
    """Draw a wall, a floor and things before them, in the colours of wood, stone and paint.

    Args:
        rng: Source of randomness.
        size: (height, width).

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = size
    picture = np.empty((height, width, 3), np.uint8)
    floor = int(rng.uniform(0.3, 0.8) * height)
    picture[:floor], picture[floor:] = _muted(rng), _muted(rng)
    for _ in range(int(rng.integers(5, 60))):
        left, top = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
        side = rng.uniform(0.03, 0.6) * min(size)
        color = (_muted(rng) if rng.random() < 0.8 else rng.uniform(0, 255, 3)).tolist()
        if rng.random() < 0.6:
            corner = (left + round(side * rng.uniform(0.1, 1.5)), top + round(side))
            cv2.rectangle(picture, (left, top), corner, color, -1)
        else:
            thickness = int(rng.choice([-1, 1, 3]))
            cv2.circle(picture, (left, top), round(side / 2), color, thickness, cv2.LINE_AA)
    light = 1 + 0.25 * fractal_noise(rng, size, cells=rng.uniform(1, 4), octaves=3)[..., None]
    return add_grain(rng, picture * light)


def still_life(rng: np.random.Generator, size: Size) -> ImageArray:
    """Draw one thing of a few parts, with its shadow, before a plain ground.

    Args:
        rng: Source of randomness.
        size: (height, width).

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = size
    down, across = np.mgrid[0 : 1 : 1j * height, 0 : 1 : 1j * width]
    light = (1 - rng.uniform(0, 0.3) * down) * (1 - rng.uniform(0, 0.3) * across)
    picture = _ground(rng) * light[..., None]
    reach = rng.uniform(0.2, 0.45) * min(size)
    centre = rng.uniform(0.35, 0.65, 2) * (width, height)
    turn, color = rng.uniform(0, 180), _muted_or_any(rng)
    outlines = []
    for _ in range(int(rng.integers(1, 6))):
        middle, radii = centre + rng.normal(0, 0.35, 2) * reach, rng.uniform(0.15, 1, 2) * reach
        outlines.append(_outline(rng, middle, radii, turn + rng.choice([0, 90])))
    shadow = np.zeros(size, np.float32)
    cv2.fillPoly(shadow, [outline + round(0.08 * reach) for outline in outlines], 1.0)
    softness = max(1.0, 0.06 * reach)
    picture *= 1 - rng.uniform(0, 0.6) * cv2.GaussianBlur(shadow, (0, 0), softness)[..., None]
    for outline in outlines:
        own = rng.normal(color, 40) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
        slope, towards = rng.uniform(0.1, 1), rng.uniform(0, 2 * np.pi)
        towards_light = np.cos(towards) * (across - 0.5) + np.sin(towards) * (down - 0.5)
        rough = rng.uniform(0, 25) * fractal_noise(rng, size, cells=rng.uniform(4, 30), octaves=3)
        _paint(picture, outline, own * (1 + slope * towards_light[..., None]) + rough[..., None])
    return add_grain(rng, picture)


def landscape(rng: np.random.Generator, size: Size) -> ImageArray:
    """Draw the sky above hills and roofs, one before the other, and rough ground.

    Args:
        rng: Source of randomness.
        size: (height, width).

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = size
    sky = np.array(_SKIES[rng.integers(len(_SKIES))]) * rng.uniform(0.7, 1.1)
    haze = 0.5 * sky + 127 * rng.uniform(0.6, 1)
    down = np.linspace(0, 1, height)[:, None, None]
    clouds = 15 * rng.random() * fractal_noise(rng, size, cells=4, octaves=4)[..., None]
    picture = sky * (1 - down) + haze * down + clouds
    for layer in range(int(rng.integers(1, 4))):
        skyline = _skyline(rng, rng.uniform(0.35, 0.6) + 0.12 * layer)
        corners = [*skyline, (2, skyline[-1][1]), (2, 2), (-1, 2), (-1, skyline[0][1])]
        outline = np.rint(np.array(corners) * (width, height)).astype(np.int32)
        color = _muted(rng)
        if rng.random() < 0.3:
            color = rng.uniform((40, 80, 20), (140, 180, 90))
        cells, amount = rng.uniform(5, 60), rng.uniform(5, 60)
        rough = amount * fractal_noise(rng, size, cells=cells, octaves=5)
        _paint(picture, outline, color + rough[..., None])
    return add_grain(rng, picture)


def _paint(picture: NDArray[Any], outline: NDArray[np.int32], colors: NDArray[Any]) -> None:
    """Put (H, W, 3) colours where an outline, (corners, 2) as x and y, encloses them."""
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [outline], 1)
    picture[inside > 0] = colors[inside > 0]


def _skyline(rng: np.random.Generator, base: float) -> list[tuple[float, float]]:
    """Corners from left to right, in shares of width and height: slopes or roofs."""
    if rng.random() < 0.5:
        across = np.linspace(-0.1, 1.1, int(rng.integers(3, 9)))
        down = base + rng.normal(0, 0.12, len(across))
    else:
        edges = np.sort(rng.uniform(-0.05, 1.05, int(rng.integers(4, 14))))
        across = np.repeat(edges, 2)[1:-1]
        down = np.repeat(base + rng.uniform(-0.3, 0.05, len(edges) - 1), 2)
    return list(zip(across.tolist(), down.tolist(), strict=True))


def _outline(
    rng: np.random.Generator, centre: NDArray[Any], radii: NDArray[Any], turn: float
) -> NDArray[np.int32]:
    """Corners of a box or an ellipse, (corners, 2) as x and y."""
    if rng.random() < 0.5:
        corners = cv2.boxPoints((centre.tolist(), (2 * radii).tolist(), turn))
    else:
        angles = np.deg2rad(np.arange(0, 360, 6))
        tilt = np.deg2rad(turn)
        across, down = np.cos(angles) * radii[0], np.sin(angles) * radii[1]
        corners = centre + np.column_stack(
            [
                across * np.cos(tilt) - down * np.sin(tilt),
                across * np.sin(tilt) + down * np.cos(tilt),
            ]
        )
    return np.rint(corners).astype(np.int32)


def _ground(rng: np.random.Generator) -> Color:
    """Often black or white, as where things are shown to be sold."""
    if rng.random() < 0.4:
        return np.full(3, 255.0 * rng.integers(2))
    return _muted_or_any(rng)


def _muted_or_any(rng: np.random.Generator) -> Color:
    return _muted(rng) if rng.random() < 0.5 else rng.uniform(0, 255, 3)


def _muted(rng: np.random.Generator) -> Color:
    """A grey or brown of any lightness."""
    return rng.uniform(20, 240) * np.array([1, rng.uniform(0.65, 1), rng.uniform(0.4, 1)])
