"""What may be wrong with a photograph, by strength: for the script that measures robustness."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from dermseg.augmentation.artefacts import compress_jpeg
from dermseg.phantom import ARTEFACTS
from dermseg.phantom.artefacts import Artefact
from dermseg.phantom.chromophores import change_skin_tone
from dermseg.types import BoolMask, ImageArray

__all__ = ["CORRUPTIONS", "SKIN_TONE", "STRENGTHS", "Corruption"]

STRENGTHS = (0.25, 0.5, 0.75, 1.0)

Pair = tuple[ImageArray, BoolMask]
Corruption = Callable[[ImageArray, BoolMask, np.random.Generator, float], Pair]
"""From an image, its mask, a random generator and a strength in (0, 1] to another such pair."""

SKIN_TONE = "skin tone"


def _draw(
    image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float, *, draw: Artefact
) -> Pair:
    return draw(image, rng, strength=strength), mask


def _multiply(
    image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float, *, most: float
) -> Pair:
    factor = most**strength
    return np.asarray(np.clip(image * factor + 0.5, 0, 255), np.uint8), mask


def _rotate(image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float) -> Pair:
    return _warp(image, mask, degrees=90 * strength, factor=1.0)


def _shrink(image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float) -> Pair:
    return _warp(image, mask, degrees=0, factor=0.4**strength)


def _warp(image: ImageArray, mask: BoolMask, *, degrees: float, factor: float) -> Pair:
    """Turn and scale about the middle; what comes in from outside is skin like the edge's."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, factor)
    size = (width, height)
    warped = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    return np.asarray(warped, np.uint8), moved.astype(np.bool_)


def _enlarge(image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float) -> Pair:
    """Cut away up to 60 % of each side, around the middle."""
    height, width = mask.shape
    top, left = (round(0.3 * strength * side) for side in (height, width))
    window = (slice(top, height - top), slice(left, width - left))
    return np.ascontiguousarray(image[window]), np.ascontiguousarray(mask[window])


def _cut_lesion(
    image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float
) -> Pair:
    """Cut away the side of the image with up to three quarters of the lesion's width."""
    columns = np.flatnonzero(mask.any(axis=0))
    if not columns.size:
        return image, mask
    first, last = int(columns[0]), int(columns[-1])
    lost = round(0.75 * strength * (last + 1 - first))
    # What is left should be as much as possible.
    from_left = mask.shape[1] - (first + lost) >= last + 1 - lost
    window = slice(first + lost, None) if from_left else slice(0, last + 1 - lost)
    return np.ascontiguousarray(image[:, window]), np.ascontiguousarray(mask[:, window])


def _darken_skin(
    image: ImageArray, mask: BoolMask, rng: np.random.Generator, strength: float
) -> Pair:
    colors = change_skin_tone(image.astype(np.float32) / np.float32(255), 1.5 * strength)
    return np.asarray(colors * 255 + 0.5, np.uint8), mask


CORRUPTIONS: dict[str, Corruption] = {
    "hair": partial(_draw, draw=ARTEFACTS["hairs"]),
    "ruler": partial(_draw, draw=ARTEFACTS["ruler"]),
    "gel bubbles": partial(_draw, draw=ARTEFACTS["gel_bubbles"]),
    "dark corners": partial(_draw, draw=ARTEFACTS["dark_corners"]),
    "uneven light": partial(_draw, draw=ARTEFACTS["uneven_light"]),
    "blur": partial(_draw, draw=ARTEFACTS["blur"]),
    "noise": partial(_draw, draw=ARTEFACTS["noise"]),
    "JPEG": partial(_draw, draw=compress_jpeg),
    "colour cast": partial(_draw, draw=ARTEFACTS["color_cast"]),
    "low contrast": partial(_draw, draw=ARTEFACTS["low_contrast"]),
    "darker": partial(_multiply, most=0.25),
    "brighter": partial(_multiply, most=2.0),
    "rotation": _rotate,
    "smaller": _shrink,
    "larger": _enlarge,
    "lesion cut off": _cut_lesion,
    SKIN_TONE: _darken_skin,
}
"""By name. At strength 1: brightness a quarter or double, a quarter turn, 0.4 of the size, the
middle 40 % of each side, a quarter of the lesion's width left, melanin of density 1.5."""
