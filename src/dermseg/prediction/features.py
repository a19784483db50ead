"""What an image and the probabilities found in it look like, in a few numbers.

They tell how far a prediction can be trusted, and whether the image is one that the model was made
for. All are measured at no more than 256 pixels, and do not depend on the image's native size.
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.prediction.overlay import limited_size
from dermseg.prediction.presence import presence_score
from dermseg.preprocessing import find_background, resize_image, resize_mask, resize_probability
from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = ["describe_image", "describe_prediction"]

_SIDE: Final = 256
_COLOR_SIDE: Final = 128
_TINY: Final = 1e-6
# Of an area of the mask: below it, ratios to the area say nothing.
_SMALLEST_AREA: Final = 1e-3
# Widths as shares of the longer side: what is left out between lesion and skin, and the skin.
_GAP, _RING = 0.02, 0.1


def describe_prediction(
    probability: FloatArray, seen: ImageArray, *, threshold: float
) -> dict[str, float]:
    """Measure what tells a good mask from a bad one without the truth.

    Args:
        probability: (h, w) float in [0, 1] of the lesion, at the network's size.
        seen: (h, w, 3) uint8 RGB, what the network saw.
        threshold: From which a pixel is lesion.

    Returns:
        Finite numbers by name: ``expected_overlap`` is the Jaccard index if each pixel were lesion
        with its probability, independently of the others; ``entropy`` the mean binary entropy in
        nats; the others are shares, ratios and logarithms as their names say. Of an empty mask,
        what needs one is 0.
    """
    seen = _reduced(seen, _SIDE)
    probability = resize_probability(probability, (seen.shape[0], seen.shape[1]))
    mask = probability >= threshold
    num_inside = int(np.count_nonzero(mask))
    area = num_inside / mask.size
    clipped = np.clip(probability, _TINY, 1 - _TINY)
    entropy = float(-(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped)).mean())
    whole = max(area, _SMALLEST_AREA)
    inside, outside = float(probability[mask].sum()), float(probability[~mask].sum())
    strict, loose = (int(np.count_nonzero(probability >= level)) for level in (0.8, 0.2))
    return {
        "expected_overlap": inside / max(num_inside + outside, 1.0),
        "entropy": entropy,
        "entropy_by_area": math.log(entropy / whole + _TINY),
        "probability_inside": inside / max(num_inside, 1),
        "uncertain_by_area": math.log1p((loose - strict) / mask.size / whole),
        "strict_by_loose": strict / max(loose, 1),
        "presence": presence_score(probability),
        "log_area": math.log(whole),
        **_shape(mask, probability),
        **_contrast(mask, seen),
    }


def describe_image(seen: ImageArray) -> dict[str, float]:
    """Measure the colours and textures that tell dermoscopic photographs from other images.

    Args:
        seen: (h, w, 3) uint8 RGB.

    Returns:
        Finite numbers by name. Colours are CIELAB's, of all but the dark background of the field
        of view; textures are logarithms of gradients of the grey image at three scales.
    """
    seen = _reduced(seen, _SIDE)
    small = _reduced(seen, _COLOR_SIDE)
    lit = ~find_background(small)
    colors = _to_lab(small)[lit]
    chroma = np.hypot(colors[:, 1], colors[:, 2])
    described: dict[str, float] = {}
    for number, channel in enumerate(("lightness", "red", "yellow")):
        low, middle, high = np.percentile(colors[:, number], (10, 50, 90)).tolist()
        described |= {channel: middle, f"{channel}_spread": math.log(high - low + 1)}
    hue = np.arctan2(colors[:, 2], colors[:, 1])
    described["skin_hues"] = float(((hue > -0.35) & (hue < 1.6) | (chroma < 4)).mean())
    described["grey"] = float((chroma < 5).mean())
    described["white"] = float((colors[:, 0] > 97).mean())
    described["lit"] = float(lit.mean())
    return described | _textures(np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8), lit)


def _textures(grey: NDArray[np.uint8], lit: BoolMask) -> dict[str, float]:
    """Mean and strongest gradients of the lit part of an image, (h, w), at three scales."""
    described = {}
    for scale in (1, 2, 4):
        gradient = _gradient(grey)
        inner = cv2.resize(lit.view(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
        values = gradient[cv2.erode(inner, np.ones((3, 3), np.uint8)) > 0]
        if not values.size:
            values = gradient.ravel()
        described[f"gradient_{scale}"] = math.log(float(values.mean()) + 0.1)
        # Of a share, not the strongest: a single pixel says nothing of a texture.
        rank = math.floor(0.98 * (values.size - 1))
        described[f"edges_{scale}"] = math.log(float(np.partition(values, rank)[rank]) + 0.1)
        grey = np.asarray(cv2.pyrDown(grey), np.uint8)
    return described


def _gradient(values: NDArray[Any]) -> NDArray[np.float32]:
    """Length of the gradient of (h, w) values, in units per pixel."""
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _reduced(image: ImageArray, side: int) -> ImageArray:
    size = limited_size((image.shape[0], image.shape[1]), side)
    return image if size == image.shape[:2] else resize_image(image, size)


def _shape(mask: BoolMask, probability: FloatArray) -> dict[str, float]:
    """Regions, outline and position of a mask."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    empty = {
        "regions": 0.0,
        "largest_region": 0.0,
        "solidity": 0.0,
        "compactness": 0.0,
        "sharpness": 0.0,
        "edge_contact": 0.0,
    }
    if count < 2:
        return empty
    areas = statistics[1:, cv2.CC_STAT_AREA]
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    outlined, hull = cv2.contourArea(outline), cv2.contourArea(cv2.convexHull(outline))
    border = outline.reshape(-1, 2)
    height, width = mask.shape
    at_edge = (border <= 0) | (border >= (width - 1, height - 1))
    gradient = _gradient(probability)
    return {
        "regions": math.log1p(count - 1),
        "largest_region": float(areas.max() / areas.sum()),
        "solidity": outlined / hull if hull else 1.0,
        "compactness": min(1.0, 4 * math.pi * outlined / cv2.arcLength(outline, closed=True) ** 2)
        if outlined
        else 1.0,
        "sharpness": float(gradient[border[:, 1], border[:, 0]].mean()),
        "edge_contact": float(at_edge.any(axis=1).mean()),
    }


def _contrast(mask: BoolMask, seen: ImageArray) -> dict[str, float]:
    """How far the colours of the lesion are from those of the skin around it."""
    seen = _reduced(seen, _COLOR_SIDE)
    if mask.shape != seen.shape[:2]:
        mask = resize_mask(mask, (seen.shape[0], seen.shape[1]))
    distance_out = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    side = max(mask.shape)
    field = ~find_background(seen)
    around = (distance_out > _GAP * side) & (distance_out <= (_GAP + _RING) * side) & field
    inner = mask & field
    dark = int(np.count_nonzero(mask & ~field)) / max(int(np.count_nonzero(mask)), 1)
    if not inner.any() or not around.any():
        return {"contrast": 0.0, "separation": 0.0, "in_the_dark": dark}
    lab = _to_lab(seen)
    lesion, skin = lab[inner], lab[around]
    distance = float(np.linalg.norm(lesion.mean(axis=0) - skin.mean(axis=0)))
    spread = math.sqrt(float(lesion.var(axis=0).sum() + skin.var(axis=0).sum()))
    return {
        "contrast": math.log1p(distance),
        "separation": distance / (spread + 1),
        "in_the_dark": dark,
    }


def _to_lab(image: ImageArray) -> NDArray[np.float32]:
    unit = image.astype(np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab), np.float32)
