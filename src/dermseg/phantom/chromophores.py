"""Skin colour as light that pigments take away.

Melanin, blood and deep pigment lie in the skin as densities; the image is the light that they
leave. Colours of one density scale therefore agree with each other on every skin tone: thin
melanin is tan, more is brown, dense is nearly black; blood is pink; pigment deep in the dermis is
blue-grey. The absorption of the channels was fitted to the skin-lesion ratios of the ISIC 2017
training images (8-bit values, so the camera's gamma is part of it).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import ImageArray

__all__ = ["Chromophores", "change_skin_tone", "render"]

_ABSORPTION = np.array(
    [
        # melanin, blood, deep pigment
        [0.27, 0.03, 0.90],  # red
        [0.64, 0.70, 0.84],  # green
        [1.00, 0.52, 0.68],  # blue
    ],
    np.float32,
)

# What tells dark skin from light: the melanin of the whole epidermis, seen through what scatters
# in it, takes red nearly as much as blue. Fitted to skin_color between 70 and -30 degrees.
_TONE = np.array([0.67, 0.80, 1.0], np.float32)

# What the camera still sees of a black spot: reflections at the surface.
_FLOOR = 0.05


@dataclass(frozen=True)
class Chromophores:
    """Densities of the light absorbers, over those of the bare skin; 0 leaves the skin's colour.

    Attributes:
        melanin: (H, W) float32; 0.5 is tan, 1.5 dark brown.
        blood: (H, W) float32; 0.2 is pink, 0.8 red.
        deep: (H, W) float32, pigment in the dermis; 0.5 is blue-grey.
    """

    melanin: NDArray[np.float32]
    blood: NDArray[np.float32]
    deep: NDArray[np.float32]

    def __add__(self, other: Chromophores) -> Chromophores:
        return Chromophores(
            self.melanin + other.melanin, self.blood + other.blood, self.deep + other.deep
        )

    def scaled(self, factor: float) -> Chromophores:
        """The same picture with all densities multiplied by ``factor``."""
        scale = np.float32(factor)
        return Chromophores(self.melanin * scale, self.blood * scale, self.deep * scale)

    def transmission(self) -> NDArray[np.float32]:
        """Share of light left in each channel, (H, W, 3); above 1 where lighter than the skin."""
        densities = cv2.merge([self.melanin, self.blood, self.deep])
        light = np.asarray(cv2.exp(cv2.transform(densities, -_ABSORPTION)), np.float32)
        light *= 1 - _FLOOR
        light += _FLOOR
        return light


def change_skin_tone(
    colors: NDArray[np.float32], density: float, *, lesion_share: float = 0.0
) -> NDArray[np.float32]:
    """The same skin with more melanin, or less, everywhere.

    The density adds to whatever absorbs already, so that ratios between lesion and skin stay, but
    for what the surface reflects: on dark skin that takes a larger part, and contrast falls.

    Args:
        colors: (..., 3) float32 RGB in [0, 1], such as a photograph; not changed.
        density: 0 changes nothing, 0.5 makes light skin tan, 1 dark; negative makes it lighter.
        lesion_share: From 0, as skin of another tone differs, to 1, as the melanin of a lesion
            colours thin layers: redder.

    Returns:
        An array of the same shape, in [0, 1].
    """
    absorption = _TONE + np.float32(lesion_share) * (_ABSORPTION[:, 0] - _TONE)
    light = np.exp(-np.float32(density) * absorption)
    # Nothing is darker than what the surface reflects but the dark surround, which is no skin.
    below = np.maximum(colors - np.float32(_FLOOR), 0)
    return np.asarray(np.minimum(colors + below * (light - 1), 1), np.float32)


def render(skin_rgb: NDArray[np.float32], chromophores: Chromophores) -> ImageArray:
    """Image of skin of one colour, (3,) in 0 to 255, under the densities; (H, W, 3) uint8."""
    light = chromophores.transmission()
    light *= skin_rgb
    light += 0.5
    np.clip(light, 0, 255, out=light)
    return light.astype(np.uint8)
