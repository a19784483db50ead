"""What is known of the lesion that structures are drawn on: outline, skin colour, pigment."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.attributes.superpixels import Superpixels
from dermseg.phantom.chromophores import absorbance_of
from dermseg.phantom.lesion import Lesion
from dermseg.phantom.noise import smoothstep
from dermseg.types import BoolMask, ImageArray

__all__ = ["Surface"]

_COARSE_SIDE = 32  # of the image on which light and colour of the surroundings are estimated


@dataclass(frozen=True)
class Surface:
    """A lesion in an image, as far as drawing on it needs.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, the lesion as it was given.
        lesion: Geometry of its largest region.
        cells: Superpixels of the image.
        skin: (H, W, 3) float32, colour of the bare skin at each pixel under the light that falls
            there, in 0 to 255.
        absorbance: (H, W, 3) float32, what the pigment takes away; 0 on bare skin.
        darkness: (H, W) float32, 0 where the surroundings are pale to 1 where they are so dark
            that added pigment would hardly be seen.
    """

    image: ImageArray
    mask: BoolMask
    lesion: Lesion
    cells: Superpixels
    skin: NDArray[np.float32]
    absorbance: NDArray[np.float32]
    darkness: NDArray[np.float32]

    @classmethod
    def of(cls, image: ImageArray, mask: BoolMask, cells: Superpixels) -> Surface:
        """Estimate light, skin and pigment of an image with a lesion mask that is not empty."""
        lesion = Lesion.from_mask(mask)
        skin = _skin(image, mask)
        absorbance = absorbance_of(np.asarray(image / skin, np.float32))
        local = _resized(_shrunk(absorbance.mean(axis=2), _COARSE_SIDE), mask.shape)
        return cls(image, mask, lesion, cells, skin, absorbance, smoothstep(local, 0.7, 1.9))

    @property
    def short(self) -> int:
        """The shorter side of the image in pixels."""
        height, width = self.mask.shape
        return int(min(height, width))

    def spacing(self, share: float, *, at_least: float) -> float:
        """A structure's size in pixels, from its share of the shorter side.

        Never finer than ``at_least`` pixels, and never coarser than a third of the lesion's radius.
        """
        return max(at_least, min(share * self.short, self.lesion.radius / 3))

    def window(self, region: BoolMask) -> NDArray[np.float32]:
        """Rise from 0 outside a region to 1 half a superpixel inside it, (H, W) float32."""
        framed = cv2.copyMakeBorder(region.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1]
        return smoothstep(np.asarray(depth, np.float32), 0.0, max(2.0, 0.5 * self.cells.side))


def _skin(image: ImageArray, mask: BoolMask) -> NDArray[np.float32]:
    """Colour of the skin around, carried into the lesion; (H, W, 3) float32, at least 1.

    Far darker pixels outside the lesion are no skin: vignettes, hairs, ink. Where a lesion fills
    the image, its lightest parts stand in.
    """
    reach = max(3, min(image.shape[:2]) // 40)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    small = _shrunk(np.asarray(image, np.float32), 2 * _COARSE_SIDE)
    outside = _shrunk(1 - near.astype(np.float32), 2 * _COARSE_SIDE) > 0.9
    grey = small.mean(axis=2)
    if outside.mean() > 0.02:
        usual = float(np.median(grey[outside]))
    else:
        usual, outside = float(np.quantile(grey, 0.95)), np.ones_like(outside)
    weights = (outside & (np.abs(grey - usual) < 0.3 * usual + 1)).astype(np.float32)
    sigma = 0.2 * min(grey.shape)
    # A little of the mean of all, for places that no skin is near to.
    mean = small[weights > 0].mean(axis=0) if weights.any() else small.max(axis=(0, 1))
    spread = cv2.GaussianBlur(cv2.merge([small * weights[..., None]]), (0, 0), sigma)
    share = cv2.GaussianBlur(weights, (0, 0), sigma)[..., None]
    skin = (spread + 0.02 * mean) / (share + 0.02)
    return np.maximum(_resized(np.asarray(skin, np.float32), mask.shape), 1)


def _shrunk(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    factor = min(1.0, side / min(values.shape[:2]))
    size = [max(1, round(length * factor)) for length in values.shape[1::-1]]
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _resized(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    enlarged = cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32)
