"""Artefacts between camera and lesion, each alone, for any RGB image.

Every function takes an image (H, W, 3) uint8, a random generator and a strength from 0 (nothing
happens) to 1 (as strong as photographs get), and gives a new image. Lengths follow the image's
shorter side, so that one generator state draws the same at every size. Masks stay as they are:
what an artefact hides is still there.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dermseg.phantom.artefacts.hairs import draw_hairs
from dermseg.phantom.artefacts.marks import draw_gel_bubbles, draw_ink, draw_ruler
from dermseg.phantom.artefacts.optics import (
    add_blur,
    add_color_cast,
    add_dark_corners,
    add_noise,
    add_uneven_light,
    lower_contrast,
)
from dermseg.types import ImageArray

__all__ = [
    "ARTEFACTS",
    "Artefact",
    "add_blur",
    "add_color_cast",
    "add_dark_corners",
    "add_noise",
    "add_uneven_light",
    "draw_gel_bubbles",
    "draw_hairs",
    "draw_ink",
    "draw_ruler",
    "lower_contrast",
]


class Artefact(Protocol):
    """A function that adds one artefact to an image."""

    def __call__(
        self, image: ImageArray, rng: np.random.Generator, *, strength: float
    ) -> ImageArray:
        """Give a copy of ``image`` with the artefact."""


ARTEFACTS: dict[str, Artefact] = {
    "hairs": draw_hairs,
    "gel_bubbles": draw_gel_bubbles,
    "ruler": draw_ruler,
    "ink": draw_ink,
    "low_contrast": lower_contrast,
    "uneven_light": add_uneven_light,
    "dark_corners": add_dark_corners,
    "color_cast": add_color_cast,
    "blur": add_blur,
    "noise": add_noise,
}
"""All artefacts by name, in the order in which light meets them: from the skin to the sensor."""
