"""What structures add to the pigment of an image, and the image that results.

Structures are drawn as absorbers of light, added to those in the skin or taken from them, and the
image is multiplied by the change of the light that is left: shading and colour cast of the
photograph stay, and a line over a dark place is darker than one over a pale place.
"""

from __future__ import annotations

import cv2
import numpy as np

from dermseg.phantom.attributes.surface import Surface
from dermseg.phantom.chromophores import Chromophores, light_through
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["Layers"]

# Keratin in milia-like cysts reflects a little less blue than the skin; glints keep all colours.
_KERATIN = np.array([1.12, 1.04, 0.86], np.float32)
_GLINT = np.array([246, 248, 255], np.float32)


class Layers:
    """Changes to the absorbers of an image, all zero at first.

    Attributes:
        pigment: Densities that are added.
        removed: (H, W) float32, share of the pigment of the image that is taken away.
        keratin: (H, W) float32, how much of a white-yellow reflection from below the surface.
        glint: (H, W) float32, how much of a white reflection at the surface.
    """

    def __init__(self, size: Size) -> None:
        self.pigment = Chromophores.none(size)
        self.removed = np.zeros(size, np.float32)
        self.keratin = np.zeros(size, np.float32)
        self.glint = np.zeros(size, np.float32)

    def touched(self) -> BoolMask:
        """Where anything is changed, (H, W) bool."""
        changed: BoolMask = self.pigment.melanin != 0
        changed |= self.pigment.blood != 0
        changed |= self.pigment.deep != 0
        changed |= self.removed != 0
        changed |= self.keratin != 0
        changed |= self.glint != 0
        return changed

    def applied_to(self, surface: Surface, contrast: float = 1.0) -> ImageArray:
        """The image of the surface with the changes; not changed where nothing is touched.

        Args:
            surface: What was drawn on.
            contrast: Factor on every change.
        """
        before = surface.absorbance
        strength = np.float32(contrast)
        melanin = strength * self.pigment.melanin
        added = Chromophores(
            # Brown of the lesion's own hue: a part of the added melanin scales what is there.
            np.float32(0.65) * melanin,
            strength * self.pigment.blood,
            strength * self.pigment.deep,
        ).absorbance()
        own = before / np.maximum(before[..., 2:], np.float32(0.3))
        own = np.asarray(cv2.blur(np.clip(own, 0.15, 1.2), (5, 5)), np.float32)
        after = np.asarray(
            before + added + (np.float32(0.35) * melanin)[..., None] * own, np.float32
        )
        # Of black only so much, or it would turn to a flat grey.
        after -= np.minimum(strength * self.removed, 0.95)[..., None] * np.clip(before, 0, 1.8)
        image = surface.image * (light_through(after) / light_through(before))
        ground = np.maximum(np.maximum(surface.skin, np.float32(1.15) * surface.image), 90)
        keratin = np.minimum(ground * _KERATIN, 250)
        image += np.minimum(strength * self.keratin, 1)[..., None] * (keratin - image)
        image += np.minimum(strength * self.glint, 1)[..., None] * (_GLINT - image)
        result = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        return np.where(self.touched()[..., None], result, surface.image)
