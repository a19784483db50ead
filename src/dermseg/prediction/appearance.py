"""Features of an image's appearance, and of how the lesion stands out from the skin."""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.prediction.postprocessing import threshold_probability
from dermseg.preprocessing import find_background, resize_image
from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = ["describe_appearance", "gradient_of"]

# Widths as shares of the longer side: what is left out between lesion and skin, and the skin.
_GAP, _RING = 0.02, 0.1
# (width, height) of the blocks whose outermost are the rim.
_BLOCKS: Final = (8, 6)
# In the plane of CIELAB's a (red) and b (yellow), the hues of skin lie between -20 and 92 degrees:
# b is above the one share of a, and a above the other of b. Below that chroma the hue is chance.
_SKIN_SLOPES, _NO_HUE = (-0.365, -0.03), 4
_GREY_CHROMA, _WHITE_LIGHTNESS, _FLAT_GRADIENT = 5, 97, 0.05


def describe_appearance(
    seen: ImageArray, probability: FloatArray, *, threshold: float
) -> dict[str, float]:
    """Measure colours and textures, and how the lesion differs from the skin around it.

    Args:
        seen: (h, w, 3) uint8 RGB, at a size at which 3 pixels are a fine texture.
        probability: (h, w) float32 in [0, 1] of the lesion.
        threshold: From which a pixel is lesion.

    Returns:
        Finite numbers by name. Colours are CIELAB's, at half the size, of all but the dark
        background of the field of view; textures are logarithms of gradients of the grey image at
        three scales.
    """
    half = max(1, seen.shape[0] // 2), max(1, seen.shape[1] // 2)
    small = resize_image(seen, half)
    field = ~find_background(small)
    lab = cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)
    coarse: FloatArray = np.asarray(
        cv2.resize(probability, half[::-1], interpolation=cv2.INTER_AREA), np.float32
    )
    grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return {
        **_contrast(lab, field, coarse, threshold_probability(coarse, threshold)),
        **_colors(lab[field]),
        **_rim(lab, field),
        "lit": float(field.mean()),
        **_textures(grey, field, threshold_probability(probability, threshold)),
    }


def gradient_of(values: FloatArray) -> FloatArray:
    """Length of the gradient of (h, w) float32 values, in units per pixel."""
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _contrast(
    lab: NDArray[Any], field: BoolMask, probability: FloatArray, mask: BoolMask
) -> dict[str, float]:
    """How far the colours of the lesion are from those of the skin around it."""
    lightness, likely = lab[field][:, 0], probability[field]
    spreads = float(lightness.std()) * float(likely.std())
    shared = float(lightness @ likely) / len(likely) - float(lightness.mean() * likely.mean())
    described = {
        "contrast": 0.0,
        "separation": 0.0,
        "darker": 0.0,
        "darkness_follows": -shared / (spreads + 0.01),
        "in_the_dark": int(np.count_nonzero(mask & ~field)) / max(int(np.count_nonzero(mask)), 1),
    }
    side = max(mask.shape)
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    around = (distance > _GAP * side) & (distance <= (_GAP + _RING) * side) & field
    inner = mask & field
    if inner.any() and around.any():
        lesion, lesion_variance = _moments(lab[inner])
        skin, skin_variance = _moments(lab[around])
        difference = skin - lesion
        spread = math.sqrt(lesion_variance + skin_variance)
        length = float(np.linalg.norm(difference))
        described["contrast"] = math.log1p(length)
        described["separation"] = length / (spread + 1)
        described["darker"] = float(difference[0]) / (spread + 1)
    return described


def _moments(colors: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Mean of (pixels, 3) colours, and the sum of the channels' variances."""
    mean = colors.mean(axis=0)
    flat = colors.ravel()
    return mean, max(0.0, float(flat @ flat / len(colors) - mean @ mean))


def _colors(colors: NDArray[Any]) -> dict[str, float]:
    """Centre, spread and hues of (pixels, 3) colours, and how far they lie on a line."""
    described: dict[str, float] = {}
    channels, num = np.ascontiguousarray(colors.T), len(colors)
    for name, ordered in zip(("lightness", "red", "yellow"), np.sort(channels), strict=True):
        low, middle, high = (float(ordered[num * tenths // 10]) for tenths in (1, 5, 9))
        described |= {name: middle, f"{name}_spread": math.log1p(high - low)}
    lightness, red, yellow = channels
    chroma = np.hypot(red, yellow)
    skin = (yellow > _SKIN_SLOPES[0] * red) & (red > _SKIN_SLOPES[1] * yellow)
    skin |= chroma < _NO_HUE
    centred = channels - channels.mean(axis=1, keepdims=True)
    small, medium, large = np.linalg.eigvalsh(centred @ centred.T / num + np.eye(3)).tolist()
    described["skin_hues"] = float(skin.mean())
    described["grey"] = float((chroma < _GREY_CHROMA).mean())
    described["white"] = float((lightness > _WHITE_LIGHTNESS).mean())
    # More melanin moves a colour along one line: other things have colours of all kinds.
    described["one_pigment"] = math.log(large / (small + medium))
    return described


def _rim(lab: NDArray[Any], field: BoolMask) -> dict[str, float]:
    """How alike the colours are along the image's rim, where skin is all around."""
    blocks = cv2.resize(lab, _BLOCKS, interpolation=cv2.INTER_AREA)
    lit = cv2.resize(field.astype(np.float32), _BLOCKS, interpolation=cv2.INTER_AREA) > 0.8
    at_rim = np.ones(lit.shape, np.bool_)
    at_rim[1:-1, 1:-1] = False
    rim = blocks[at_rim & lit] if np.count_nonzero(at_rim & lit) > 3 else blocks[at_rim]
    light, red, yellow = rim.std(axis=0).tolist()
    centre = float(blocks[2:-2, 2:-2, 0].mean())
    return {
        "rim_light": math.log1p(light),
        "rim_color": math.log1p(red + yellow),
        "centre_darker": float(rim[:, 0].mean()) - centre,
    }


def _textures(grey: FloatArray, field: BoolMask, mask: BoolMask) -> dict[str, float]:
    """Mean and strongest gradients of the lit part of an image, (h, w), at three scales."""
    described = {}
    lit = cv2.erode(field.view(np.uint8), np.ones((3, 3), np.uint8))
    for scale in (1, 2, 4):
        gradient = gradient_of(grey)
        inner = cv2.resize(lit, grey.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        values = gradient[inner] if inner.any() else gradient.ravel()
        described[f"gradient_{scale}"] = _logarithm(float(values.mean()))
        # A quantile, not the maximum: a single pixel says nothing of a texture.
        rank = math.floor(0.98 * (values.size - 1))
        described[f"edges_{scale}"] = _logarithm(float(np.partition(values, rank)[rank]))
        if scale == 1:
            described["flat"] = float((values < _FLAT_GRADIENT).mean())
            skin = inner & (cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)) == 0)
            described["skin_gradient"] = (
                _logarithm(float(gradient[skin].mean())) if skin.any() else described["gradient_1"]
            )
        grey = np.asarray(cv2.pyrDown(grey), np.float32)
    return described


def _logarithm(gradient: float) -> float:
    # Not below one grey level in ten pixels: less is what JPEG leaves.
    return math.log(gradient + 0.1)
