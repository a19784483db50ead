"""The outline of the lesion as a distance field, before any colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.noise import fractal_noise
from dermseg.types import BoolMask, Size

__all__ = ["Lesion", "create_lesion"]


@dataclass(frozen=True)
class Lesion:
    """Geometry of one lesion: what its colours are laid out on.

    Attributes:
        distance: (H, W) float32, signed distance to the border in pixels: positive inside.
        centre: (y, x) of the lesion's centroid in pixels.
        border: (N, 2) int32, closed outline as (y, x) of the lesion's outermost pixels.
        radius: Radius in pixels of the disc of the same area.
    """

    distance: NDArray[np.float32]
    centre: tuple[float, float]
    border: NDArray[np.int32]
    radius: float

    @property
    def mask(self) -> BoolMask:
        """(H, W) bool, True on the lesion: one region without holes, never empty."""
        return self.distance > 0

    @property
    def depth(self) -> NDArray[np.float32]:
        """(H, W) float32, distance in units of the radius: 0 at the border, below 1 inside."""
        return self.distance * np.float32(1 / self.radius)

    def resized(self, size: Size) -> Lesion:
        """The same lesion in an image of ``size``, its border interpolated between the pixels."""
        distance = cv2.resize(self.distance, size[::-1], interpolation=cv2.INTER_CUBIC)
        return _from_level(np.asarray(distance, np.float32))


def create_lesion(rng: np.random.Generator, size: Size, *, area_share: float) -> Lesion:
    """Draw one lesion, near the middle of the image, with an irregular border.

    An ellipse whose level lines are pushed in and out by noise: lobes and notches, then finer
    roughness. The level is chosen so that the lesion covers the asked share; a large lesion may
    run over the edge of the image.

    Args:
        rng: Source of position, shape and roughness.
        size: (height, width).
        area_share: Share of the image that the lesion covers, above 0 and below 1; met closely,
            not exactly, because holes are filled and separate specks are dropped.
    """
    height, width = size
    short = min(size)
    radius = float(np.sqrt(area_share * height * width / np.pi))
    # Small lesions may lie off-centre; large ones are framed by whoever takes the picture.
    freedom = 0.075 * max(0.3, 1 - area_share)
    centre_y = height * (0.5 + float(np.clip(rng.normal(0, freedom), -0.2, 0.2)))
    centre_x = width * (0.5 + float(np.clip(rng.normal(0, freedom), -0.2, 0.2)))
    aspect = rng.uniform(0.62, 1.0)
    angle = rng.uniform(0, np.pi)
    if area_share > 0.3:  # large lesions follow the image, else they could not fit
        aspect, angle = rng.uniform(0.7, 0.95), rng.normal(0, 0.2)
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5 - centre_y) / radius
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5 - centre_x) / radius
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    stretch = np.float32(np.sqrt(aspect))
    level = np.asarray(
        -cv2.magnitude((x * cos + y * sin) * stretch, (y * cos - x * sin) / stretch), np.float32
    )

    lobes = rng.uniform(0.03, 0.17)
    roughness = rng.uniform(0.008, 0.035)
    per_radius = short / radius
    level += np.float32(lobes) * fractal_noise(
        rng, size, cells=rng.uniform(0.9, 1.8) * per_radius, octaves=2
    )
    level += np.float32(roughness) * fractal_noise(
        rng, size, cells=4 * per_radius, octaves=3, gain=0.5
    )
    stride = max(1, short // 512)  # enough pixels for a quantile
    threshold = float(np.quantile(level[::stride, ::stride], 1 - area_share))
    return _from_level(level - np.float32(threshold))


def _from_level(level: NDArray[np.float32]) -> Lesion:
    """Lesion where ``level`` is positive: the largest region, its holes filled."""
    above = (level > 0).astype(np.uint8)
    outlines, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    filled = np.zeros_like(above)
    cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    inside = cv2.distanceTransform(filled, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - filled, cv2.DIST_L2, cv2.DIST_MASK_5)
    # Both transforms count from pixel centre to pixel centre; the border lies half-way between.
    distance = inside - outside + np.where(filled, np.float32(-0.5), np.float32(0.5))
    moments = cv2.moments(filled, binaryImage=True)
    return Lesion(
        distance=distance,
        centre=(moments["m01"] / moments["m00"], moments["m10"] / moments["m00"]),
        border=np.array(outline[:, 0, ::-1], np.int32),
        radius=float(np.sqrt(moments["m00"] / np.pi)),
    )
