"""Features of an image and its probabilities, for quality and out-of-distribution estimates.

They tell how far a prediction can be trusted, and whether the image is one that the model was made
for. All are measured at no more than 128 pixels, and do not depend on the image's native size.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from dermseg.errors import PackageError
from dermseg.package import ModelSpec
from dermseg.prediction.appearance import describe_appearance, gradient_of
from dermseg.prediction.postprocessing import threshold_probability
from dermseg.prediction.presence import presence_score
from dermseg.preprocessing import limited_size, resize_image
from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = ["check_features", "describe"]

_SIDE: Final = 128
_TINY: Final = 1e-6
# The least area of a mask, in pixels: below it, ratios to the area mean nothing.
_SMALLEST_AREA: Final = 1e-3
_LIKELY, _POSSIBLE = 0.8, 0.2


def describe(probability: FloatArray, seen: ImageArray, *, threshold: float) -> dict[str, float]:
    """Measure what tells a good mask from a bad one, and a dermoscopic image from others.

    Args:
        probability: (h, w) float in [0, 1] of the lesion, at the network's size.
        seen: (h, w, 3) uint8 RGB, what the network saw.
        threshold: From which a pixel is lesion.

    Returns:
        Finite numbers by name. ``expected_overlap`` is the Jaccard index if each pixel were lesion
        with its probability, independently of the others; ``entropy`` is the mean binary entropy
        in nats; the other features of the probabilities are shares, ratios and logarithms as their
        names say. Features that need a mask are 0 if it is empty. For the features of the image
        see `describe_appearance`.
    """
    size = limited_size((seen.shape[0], seen.shape[1]), _SIDE)
    seen = resize_image(seen, size)
    reduced: FloatArray = np.asarray(
        cv2.resize(
            probability.astype(np.float32, copy=False), size[::-1], interpolation=cv2.INTER_AREA
        ),
        np.float32,
    )
    mask = threshold_probability(reduced, threshold)
    return {
        **_certainty(reduced, mask),
        **_shape(reduced, mask),
        **describe_appearance(seen, reduced, threshold=threshold),
    }


def check_features(spec: ModelSpec) -> None:
    """Refuse a package whose estimates build on what `describe` does not measure.

    Raises:
        PackageError: Names the first of these.
    """
    models = [] if spec.quality is None else [spec.quality.jaccard]
    told = spec.out_of_distribution
    models += [] if told is None else [told.photograph, told.lesion]
    if not models:
        return
    known = describe(np.zeros((8, 8), np.float32), np.zeros((8, 8, 3), np.uint8), threshold=0.5)
    for name in (name for model in models for name in model.features):
        if name not in known:
            message = (
                f"the model {spec.name} estimates its quality from '{name}', which this version of "
                "dermseg does not measure: calibrate it again"
            )
            raise PackageError(message)


def _certainty(probability: FloatArray, mask: BoolMask) -> dict[str, float]:
    num_inside = int(np.count_nonzero(mask))
    area = max(num_inside / mask.size, _SMALLEST_AREA)
    clipped = np.clip(probability, _TINY, 1 - _TINY)
    entropy = float(-(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped)).mean())
    inside = float(probability[mask].sum())
    outside = float(probability.sum()) - inside
    likely, possible = (
        int(np.count_nonzero(threshold_probability(probability, level)))
        for level in (_LIKELY, _POSSIBLE)
    )
    return {
        "expected_overlap": inside / max(num_inside + outside, 1.0),
        "entropy": entropy,
        "entropy_by_area": math.log(entropy / area + _TINY),
        "probability_inside": inside / max(num_inside, 1),
        "uncertain_by_area": math.log1p((possible - likely) / mask.size / area),
        "likely_by_possible": likely / max(possible, 1),
        "presence": presence_score(probability),
        "log_area": math.log(area),
    }


def _shape(probability: FloatArray, mask: BoolMask) -> dict[str, float]:
    """Regions, outline and position of a mask."""
    pixels = mask.view(np.uint8)
    count, _, statistics, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    if count < 2:
        names = (
            "regions", "largest_region", "solidity", "compactness", "sharpness", "edge_contact"
        )  # fmt: skip
        return dict.fromkeys(names, 0.0)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    area, hull = cv2.contourArea(outline), cv2.contourArea(cv2.convexHull(outline))
    # A line of pixels has no area: it counts as round.
    round_area = cv2.arcLength(outline, closed=True) ** 2 / (4 * math.pi)
    border = outline.reshape(-1, 2)
    height, width = mask.shape
    at_edge = (border <= 0) | (border >= (width - 1, height - 1))
    sharpness = gradient_of(probability)[border[:, 1], border[:, 0]]
    return {
        "regions": math.log1p(count - 1),
        "largest_region": float(areas.max() / areas.sum()),
        "solidity": area / hull if hull else 1.0,
        "compactness": min(1.0, area / round_area) if area else 1.0,
        "sharpness": float(sharpness.mean()),
        "edge_contact": float(at_edge.any(axis=1).mean()),
    }
