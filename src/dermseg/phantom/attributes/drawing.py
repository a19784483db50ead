"""Structures and look-alikes on any image of a lesion, with the truth about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dermseg.errors import UsageError
from dermseg.phantom.artefacts.canvas import check_call
from dermseg.phantom.attributes.clods import draw_globules, draw_milia
from dermseg.phantom.attributes.distractors import DISTRACTORS
from dermseg.phantom.attributes.layers import Layers
from dermseg.phantom.attributes.networks import draw_negative_network, draw_pigment_network
from dermseg.phantom.attributes.options import ATTRIBUTES, AttributeOptions
from dermseg.phantom.attributes.streaks import draw_streaks
from dermseg.phantom.attributes.superpixels import Superpixels
from dermseg.phantom.attributes.surface import Surface
from dermseg.types import BoolMask, ImageArray

__all__ = ["AttributePhantom", "draw_attributes"]

_SMALLEST_RADIUS = 6.0  # pixels; smaller lesions show no structure


@dataclass(frozen=True)
class AttributePhantom:
    """A lesion with structures drawn into it, and the truth about them.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        lesion: (H, W) bool, the lesion.
        masks: By name of ``ATTRIBUTES``, in that order, (H, W) bool: the superpixels of the lesion
            that show the structure, or nothing where it is absent. They may overlap.
        distractors: (H, W) bool, where look-alikes were drawn.
        seed: What the structures were drawn from.
    """

    image: ImageArray
    lesion: BoolMask
    masks: dict[str, BoolMask]
    distractors: BoolMask
    seed: int


def draw_attributes(
    image: ImageArray, lesion: BoolMask, *, seed: int, options: AttributeOptions | None = None
) -> AttributePhantom:
    """Draw dermoscopic structures into a lesion, generated or real, with exact masks.

    Outside the masks and the distractors no pixel changes. Structures take their colours from the
    lesion: they change how much light its pigment absorbs, so that shading and colour cast stay.
    What the image shows already is not in the masks: for training, take lesions without the
    structure or leave its class out. Hairs, bubbles and the like are ``ARTEFACTS``, to be put on
    top.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        lesion: (H, W) bool. Where it is empty or of a radius below 6 pixels nothing is drawn.
        seed: Not negative; with image, lesion and options it fixes the result.
        options: How often what is drawn; by default as in the ISIC 2018 Task 2 training images.

    Returns:
        The image with its structures, sizes as given.

    Raises:
        UsageError: If the image is no RGB image, the mask is not of its size, or the seed is
            negative.

    References:
        The look of the structures: Kittler et al. (2016), doi:10.1016/j.jaad.2015.12.038.
        The masks as superpixels: Codella et al. (2018), arXiv:1710.05006.
    """
    check_call(image, 0)
    if lesion.shape != image.shape[:2] or lesion.dtype != np.bool_:
        raise UsageError(
            f"the lesion has shape {lesion.shape} and type {lesion.dtype}; "
            f"give a bool mask of the image's size, {image.shape[:2]}"
        )
    if seed < 0:
        raise UsageError(f"the seed is {seed}; give a whole number that is not negative")
    options = options or AttributeOptions()
    masks = {name: np.zeros_like(lesion) for name in ATTRIBUTES}
    if not lesion.any():
        return AttributePhantom(image.copy(), lesion, masks, np.zeros_like(lesion), seed)
    cells = Superpixels(_stream(seed, "superpixels"), lesion.shape)
    surface = Surface.of(image, lesion, cells)
    if surface.lesion.radius < _SMALLEST_RADIUS:
        return AttributePhantom(image.copy(), lesion, masks, np.zeros_like(lesion), seed)
    layers = Layers(lesion.shape)
    for name, draw in DISTRACTORS.items():
        rng = _stream(seed, name)
        if rng.random() < options.distractors:
            draw(layers, surface, rng)
    distractors = layers.touched()
    for name, add in _structures(masks).items():
        rng = _stream(seed, name)
        if rng.random() < options.frequencies.get(name, 0.0):
            masks[name] = add(layers, surface, rng)
    return AttributePhantom(
        layers.applied_to(surface, options.contrast), lesion, masks, distractors, seed
    )


Structure = Callable[[Layers, Surface, np.random.Generator], BoolMask]


def _structures(masks: dict[str, BoolMask]) -> dict[str, Structure]:
    """How each structure is drawn, from the depth of the skin to its surface."""

    def pigment_network(layers: Layers, surface: Surface, rng: np.random.Generator) -> BoolMask:
        # A place shows one network or the other.
        return draw_pigment_network(layers, surface, rng, avoided=masks["negative_network"])

    return {
        "negative_network": draw_negative_network,
        "pigment_network": pigment_network,
        "streaks": draw_streaks,
        "globules": draw_globules,
        "milia_like_cyst": draw_milia,
    }


def _stream(seed: int, part: str) -> np.random.Generator:
    """Random numbers of one structure, so that none shifts another's draws."""
    return np.random.default_rng([seed, *b"attributes", *part.encode()])
