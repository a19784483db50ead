"""A small summary of an image by which its copies are found, however they were turned.

A disc of the image is sampled on rings and Fourier-transformed along the angle. Turning the image
shifts the phase of these harmonics and mirroring it conjugates them, so their magnitudes, and the
phase between neighbouring rings, stay the same at any angle. Several discs (the central one, and
smaller ones around it) make up for edges that were cropped away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing.field_of_view import find_background
from dermseg.preprocessing.resizing import resize_image
from dermseg.types import BoolMask, ImageArray, Size

__all__ = ["DETAIL_SIDE", "DISCS", "Disc", "Fingerprint", "create_fingerprint", "describe_discs"]

DETAIL_SIDE: Final = 96
_NUM_RINGS, _NUM_ANGLES, _NUM_HARMONICS, _NUM_COLOR_HARMONICS = 8, 48, 7, 4
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Disc:
    """A disc in an image, in units of the image's shorter side.

    Attributes:
        x: Its centre, to the right of the image's.
        y: Its centre, below the image's.
        diameter: 1 touches the longer edges.
    """

    x: float
    y: float
    diameter: float


DISCS: Final = (
    Disc(0, 0, 1),
    Disc(0, 0, 0.9),
    Disc(0, 0, 0.75),
    *(Disc(x, y, 0.9) for y in (-0.04, 0.04) for x in (-0.05, 0.05)),
    *(Disc(x, y, 0.95) for y in (-0.02, 0.02) for x in (-0.03, 0.03)),
)
"""The first is compared with all of another image's: the others are what crops are centred on."""


@dataclass(frozen=True)
class Fingerprint:
    """The features kept of an image to find its copies, 33 kB.

    Attributes:
        size: (height, width) of the image.
        detail: Luminance of the whole image, squeezed to (96, 96), uint8.
        background: What is dark around the field of view, (96, 96) bool.
        harmonics: (discs, rings, harmonics, channels) complex64; the channels are luminance, red
            minus luminance and blue minus luminance.
    """

    size: Size
    detail: NDArray[np.uint8]
    background: BoolMask
    harmonics: NDArray[np.complex64]


def create_fingerprint(image: ImageArray) -> Fingerprint:
    """Summarise an image for comparison with others.

    Args:
        image: (H, W, 3) uint8 RGB of any size.
    """
    small = resize_image(image, (DETAIL_SIDE, DETAIL_SIDE))
    luminance = small.astype(np.float32) @ _LUMINANCE
    channels = np.stack([luminance, small[..., 0] - luminance, small[..., 2] - luminance], axis=-1)
    size = (image.shape[0], image.shape[1])
    rings = np.stack([_sample(channels, disc, size) for disc in DISCS])
    harmonics = np.fft.fft(rings, axis=2)[:, :, :_NUM_HARMONICS] / _NUM_ANGLES
    detail = np.rint(luminance).astype(np.uint8)
    return Fingerprint(size, detail, find_background(small), harmonics.astype(np.complex64))


def describe_discs(harmonics: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Turn harmonics into vectors that do not change when the image is turned or mirrored.

    Brightness and contrast do not matter either. The distance of two vectors tells how different
    the discs look: 0 for the same, about 0.1 for copies, seldom above 0.4 for cropped ones.

    Args:
        harmonics: (..., rings, harmonics, channels), as in a fingerprint.

    Returns:
        (..., 198) float32.
    """
    # Outer rings stand for more pixels; fine structure is weaker, but tells more.
    radii = np.sqrt(_ring_radii())[:, None, None]
    values = harmonics * radii
    mean = (values[..., :1, :] * radii).sum(axis=-3, keepdims=True) / (radii**2).sum()
    values[..., :1, :] -= mean * radii
    fineness = np.concatenate([[1.0], 1.5 * np.sqrt(np.arange(1, _NUM_HARMONICS))])
    values *= fineness[:, None]
    luminance, color = values[..., 0], values[..., 1:]
    parts = [luminance[..., 0].real, np.abs(luminance[..., 1:])]
    for step in (1, 2):
        product = luminance[..., :-step, 1:] * np.conj(luminance[..., step:, 1:])
        parts.append(product.real / np.sqrt(np.abs(product) + 1e-6) / step)
    parts += [color[..., 0, :].real, np.abs(color[..., 1:_NUM_COLOR_HARMONICS, :])]
    shape = harmonics.shape[:-3]
    # The constant keeps the noise of plain images from looking like structure.
    norm = np.sqrt((np.abs(values) ** 2).sum(axis=(-3, -2, -1))) + 0.5
    flat = np.concatenate([part.reshape(*shape, -1) for part in parts], axis=-1)
    return np.asarray(flat / norm[..., None], np.float32)


def _ring_radii() -> NDArray[np.float64]:
    """Radii of the rings, 1 at the disc's edge; the outermost stays clear of it."""
    return 0.95 * (np.arange(_NUM_RINGS) + 0.5) / _NUM_RINGS


def _sample(channels: NDArray[np.float32], disc: Disc, size: Size) -> NDArray[np.float32]:
    """The disc on rings and angles, (8, 48, 3), from the squeezed image of an image of a size."""
    side, shorter = DETAIL_SIDE, min(size)
    angles = 2 * np.pi * np.arange(_NUM_ANGLES) / _NUM_ANGLES
    x = disc.x + disc.diameter / 2 * np.outer(_ring_radii(), np.cos(angles))
    y = disc.y + disc.diameter / 2 * np.outer(_ring_radii(), np.sin(angles))
    columns = side / 2 - 0.5 + x * side * shorter / size[1]
    rows = side / 2 - 0.5 + y * side * shorter / size[0]
    # As wide as half the distance of two rings, so that nothing falls between them.
    smooth = cv2.GaussianBlur(channels, (0, 0), 0.95 * side * disc.diameter / 4 / _NUM_RINGS)
    sampled = cv2.remap(
        smooth,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(sampled, np.float32)
