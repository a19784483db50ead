"""Effects of the camera and its light: corners, light, colour, contrast, blur and noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.phantom.artefacts.canvas import check_call
from dermseg.phantom.noise import smoothstep
from dermseg.types import ImageArray, Size

__all__ = [
    "add_blur",
    "add_color_cast",
    "add_dark_corners",
    "add_noise",
    "add_uneven_light",
    "lower_contrast",
]


def add_dark_corners(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Darken all that lies outside the round field of the dermatoscope.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the field's centre and of how soft its edge is.
        strength: 0 leaves the image alone; small values darken the very corners, 1 leaves a disc
            little wider than the shorter side.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    diagonal = float(np.hypot(*image.shape[:2])) / min(image.shape[:2])
    shift = rng.normal(0, 0.09, 2)
    radius = diagonal + (1.1 - diagonal) * strength
    softness = rng.uniform(0.05, 0.6) * radius
    outside = smoothstep(_radius(image.shape[:2], shift), radius - softness, radius + softness / 3)
    return _multiplied(image, 1 - np.float32(rng.uniform(0.8, 0.97)) * outside)


def add_uneven_light(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Let the light fall off to one side and towards the rim.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the light's direction and centre.
        strength: 0 leaves the image alone, 1 more than halves the light at the darkest place.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(np.cos(angle))
    side = rng.uniform(0, 1)
    rim = _radius(image.shape[:2], rng.normal(0, 0.2, 2))
    light = 1 - np.float32(0.28 * strength * side) * (x + y + np.float32(0.6))
    light -= np.float32(0.3 * strength * (1 - 0.5 * side)) * rim * rim / np.float32(1.6)
    return _multiplied(image, np.maximum(light, np.float32(0.1)))


def add_color_cast(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Tint an image as a camera with another white balance does; brightness stays.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the tint: cold to warm, and a little green to pink.
        strength: 0 leaves the image alone, 1 tints it strongly.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    warmth, pink = rng.normal(0, 0.12), rng.normal(0, 0.05)
    shift = strength * np.array([warmth + pink, -pink, -warmth + pink])
    shift -= shift @ (0.299, 0.587, 0.114)
    return _looked_up(image, np.arange(256.0)[:, None] * np.exp(shift))


def lower_contrast(
    image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5
) -> ImageArray:
    """Pull all colours towards the image's mean, as haze or poor contact with the skin does.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of a small difference between the channels.
        strength: 0 leaves the image alone, 1 takes four fifths of the contrast.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    mean = np.array(cv2.mean(image)[:3])
    kept = 1 - strength * rng.uniform(0.74, 0.8, 3)
    return _looked_up(image, mean + kept * (np.arange(256.0)[:, None] - mean))


def add_blur(image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5) -> ImageArray:
    """Take an image out of focus.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of a slight difference between the two directions, as shake makes it.
        strength: Standard deviation of the blur in 1/50 of the shorter side; 0 leaves it alone.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    sigma = strength * min(image.shape[:2]) / 50 * rng.uniform(0.85, 1.0, 2)
    sigma = np.maximum(sigma, 1e-3)  # OpenCV refuses 0, which tiny strengths round to
    blurred = cv2.GaussianBlur(image, (0, 0), sigmaX=float(sigma[0]), sigmaY=float(sigma[1]))
    return np.asarray(blurred, np.uint8)


def add_noise(image: ImageArray, rng: np.random.Generator, *, strength: float = 0.5) -> ImageArray:
    """Add the noise of a sensor: mostly brightness, some colour, independent in each pixel.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        rng: Source of the noise.
        strength: 0 leaves the image alone, 1 has a standard deviation of about 24 grey levels.

    Raises:
        UsageError: If the image is no RGB image or ``strength`` is outside [0, 1].
    """
    check_call(image, strength)
    if strength == 0:
        return image.copy()
    noisy = rng.standard_normal(image.shape, np.float32)
    noisy *= np.float32(12 * strength)
    noisy += np.float32(20 * strength) * rng.standard_normal((*image.shape[:2], 1), np.float32)
    noisy += image
    return _to_bytes(noisy)


def _radius(size: Size, shift: NDArray[np.float64]) -> NDArray[np.float32]:
    """Distance from the middle, moved by ``shift``, in units of half the shorter side."""
    height, width = size
    half = min(size) / 2
    y = (np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2) / half - shift[0]
    x = (np.arange(width, dtype=np.float32)[None, :] - (width - 1) / 2) / half - shift[1]
    return np.asarray(np.sqrt(y * y + x * x), np.float32)


def _multiplied(image: ImageArray, light: NDArray[np.float32]) -> ImageArray:
    return _to_bytes(image * light[..., None])


def _looked_up(image: ImageArray, values: NDArray[np.float64]) -> ImageArray:
    """Replace each byte of each channel by its entry in ``values``, (256, 3)."""
    return np.asarray(cv2.LUT(image, _to_bytes(values)[None]), np.uint8)


def _to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)
