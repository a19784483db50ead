"""Generated dermoscopic images with exact masks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dermseg.errors import UsageError
from dermseg.phantom.artefacts import ARTEFACTS
from dermseg.phantom.chromophores import render
from dermseg.phantom.lesion import Lesion, create_lesion
from dermseg.phantom.options import PhantomOptions, PhantomParameters, draw_parameters
from dermseg.phantom.pigment import create_pigment
from dermseg.phantom.skin import create_skin_texture, skin_color
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["Phantom", "create_phantom", "create_plain_skin"]

_SMALLEST_SIDE, _LARGEST_SIDE = 32, 16384
_FINEST_SIDE = 1024


@dataclass(frozen=True)
class Phantom:
    """A generated image, the truth about it, and what was drawn.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, exactly the lesion, whatever lies over it.
        lesion: The lesion's geometry, to build on.
        seed: What it was made from.
        parameters: What it was made with.
    """

    image: ImageArray
    mask: BoolMask
    lesion: Lesion
    seed: int
    parameters: PhantomParameters


def create_phantom(
    seed: int, *, size: Size = (192, 256), options: PhantomOptions | None = None
) -> Phantom:
    """Generate one dermoscopic image with its exact mask.

    The result depends on the seed, the size and the options alone. One seed shows the same scene
    at every size of the same proportions, and fixing one option leaves the others as drawn.

    Args:
        seed: Not negative.
        size: (height, width), each 32 to 16384 pixels.
        options: What to fix; by default all is drawn as it occurs in real images.

    Raises:
        UsageError: If the seed is negative or the size too small or too large.

    Example:
        >>> phantom = create_phantom(7, size=(96, 128))
        >>> phantom.image.shape, phantom.mask.shape
        ((96, 128, 3), (96, 128))
    """
    _check(seed, size, _LARGEST_SIDE)
    chosen = draw_parameters(_stream(seed, "parameters"), options or PhantomOptions())
    skin_rgb = skin_color(_stream(seed, "skin"), chosen.ita_degrees)
    # No part of the scene is finer than this: larger images are enlarged, which takes seconds less.
    scale = min(1.0, _FINEST_SIDE / min(size))
    scene_size = (round(size[0] * scale), round(size[1] * scale))
    lesion = create_lesion(_stream(seed, "lesion"), scene_size, area_share=chosen.area_share)
    texture = create_skin_texture(_stream(seed, "texture"), scene_size)
    pigment = create_pigment(_stream(seed, "pigment"), lesion, skin_rgb, contrast=chosen.contrast)
    image = render(skin_rgb, texture + pigment)
    if scene_size != size:
        larger = cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC)
        image = np.asarray(larger, np.uint8)
        lesion = lesion.resized(size)
    image = _add_artefacts(image, seed, chosen)
    return Phantom(image, lesion.mask, lesion, seed, chosen)


def create_plain_skin(
    seed: int, *, size: Size = (192, 256), options: PhantomOptions | None = None
) -> ImageArray:
    """Generate the skin of :func:`create_phantom` with its artefacts, and no lesion on it.

    Args:
        seed: Not negative.
        size: (height, width), each 32 to 1024 pixels.
        options: What to fix; those of the lesion change nothing.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UsageError: If the seed is negative or the size too small or too large.
    """
    _check(seed, size, _FINEST_SIDE)
    chosen = draw_parameters(_stream(seed, "parameters"), options or PhantomOptions())
    skin_rgb = skin_color(_stream(seed, "skin"), chosen.ita_degrees)
    bare = render(skin_rgb, create_skin_texture(_stream(seed, "texture"), size))
    return _add_artefacts(bare, seed, chosen)


def _check(seed: int, size: Size, largest_side: int) -> None:
    if seed < 0:
        raise UsageError(f"the seed is {seed}; give a whole number that is not negative")
    if not all(_SMALLEST_SIDE <= side <= largest_side for side in size):
        raise UsageError(
            f"the size is {size}; give (height, width), "
            f"each {_SMALLEST_SIDE} to {largest_side} pixels"
        )


def _add_artefacts(image: ImageArray, seed: int, parameters: PhantomParameters) -> ImageArray:
    """The artefacts of a phantom's parameters over its scene, in the order light meets them."""
    for name, add in ARTEFACTS.items():
        image = add(image, _stream(seed, name), strength=parameters.artefacts[name])
    return image


def _stream(seed: int, part: str) -> np.random.Generator:
    """Random numbers of one part of the picture, so that no part shifts another's draws."""
    return np.random.default_rng([seed, *part.encode()])
