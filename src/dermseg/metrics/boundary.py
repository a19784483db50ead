"""How far the border of a mask is from the border it should have.

The border of a mask is its pixels that touch, along a side, a pixel outside it or the edge of the
image. Distances are between pixel centres, exact up to 2000 pixels (beyond, to 1 part in 10^7).

Two empty masks agree: distance 0. Where exactly one is empty there is no distance, and leaving the
image out would reward a model that finds nothing; so the worst value stands in, the diagonal of
the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.metrics.counts import confusion_counts
from dermseg.types import BoolMask

__all__ = [
    "BoundaryMeasures",
    "average_symmetric_surface_distance",
    "boundary_measures",
    "hausdorff_95",
    "near_boundary",
    "normalized_surface_distance",
]

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_Distances = NDArray[np.float64]


@dataclass(frozen=True)
class BoundaryMeasures:
    """Border distances of one image.

    Those that begin with ``relative`` are shares of the lesion's diameter (of the circle with the
    area of the true mask), so that images of different magnification can be compared; NaN where
    the truth is empty and the prediction is not.

    Attributes:
        hausdorff_95: See `hausdorff_95`, in pixels.
        average_symmetric_surface_distance: See the function of that name, in pixels.
        normalized_surface_distance: Share of the border within the tolerance in pixels.
        relative_hausdorff_95: In lesion diameters.
        relative_average_symmetric_surface_distance: In lesion diameters.
        relative_normalized_surface_distance: Share of the border within the relative tolerance.
    """

    hausdorff_95: float
    average_symmetric_surface_distance: float
    normalized_surface_distance: float
    relative_hausdorff_95: float
    relative_average_symmetric_surface_distance: float
    relative_normalized_surface_distance: float


def hausdorff_95(prediction: BoolMask, target: BoolMask) -> float:
    """95 % Hausdorff distance of two masks, (H, W) bool, in pixels.

    The distance from each border pixel of one mask to the border of the other is taken; of both
    directions the 95th percentile (linearly interpolated), and of these the larger one. 0 is
    perfect. Two empty masks: 0; one empty: the diagonal.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.

    References:
        Huttenlocher et al. (1993), doi:10.1109/34.232073; the percentile per direction as in
        Maier-Hein et al. (2024), Metrics reloaded, doi:10.1038/s41592-023-02151-z.

    Example:
        >>> square = np.zeros((5, 9), np.bool_)
        >>> square[1:4, 1:4] = True
        >>> hausdorff_95(square, np.roll(square, 2, axis=1))
        2.0
    """
    return boundary_measures(prediction, target).hausdorff_95


def average_symmetric_surface_distance(prediction: BoolMask, target: BoolMask) -> float:
    """Mean distance of all border pixels of both masks to the other border, in pixels.

    0 is perfect. Two empty masks: 0; one empty: the diagonal.

    Raises:
        ValueError: If a mask is not bool, or the sizes differ.

    References:
        Heimann et al. (2009), doi:10.1109/TMI.2009.2013851.
    """
    return boundary_measures(prediction, target).average_symmetric_surface_distance


def normalized_surface_distance(
    prediction: BoolMask, target: BoolMask, *, tolerance: float
) -> float:
    """Share of the border pixels of both masks that are within ``tolerance`` of the other border.

    In [0, 1], 1 is perfect; also called surface Dice. Two empty masks: 1; one empty: 0.

    Raises:
        ValueError: If a mask is not bool, the sizes differ, or the tolerance is negative.

    References:
        Nikolov et al. (2021), doi:10.2196/26151, with pixels in place of surface elements.
    """
    return boundary_measures(prediction, target, tolerance=tolerance).normalized_surface_distance


def boundary_measures(
    prediction: BoolMask,
    target: BoolMask,
    *,
    tolerance: float = 3.0,
    relative_tolerance: float = 0.02,
) -> BoundaryMeasures:
    """Compute all border distances of one image at once.

    Args:
        prediction: (H, W) bool.
        target: The same.
        tolerance: Tolerance of the normalised surface distance, in pixels.
        relative_tolerance: The same, as a share of the lesion's diameter.

    Raises:
        ValueError: If a mask is not bool, the sizes differ, or a tolerance is negative.
    """
    counts = confusion_counts(prediction, target)
    if not (tolerance >= 0 and relative_tolerance >= 0):
        raise ValueError(f"tolerances are {tolerance} and {relative_tolerance}; expected 0 or more")
    area = counts.tp + counts.fn
    diameter = 2 * math.sqrt(area / math.pi)
    if not area and not counts.fp:
        return BoundaryMeasures(0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
    if not area or not counts.tp + counts.fp:
        worst = math.hypot(target.shape[0] - 1, target.shape[1] - 1)
        relative = worst / diameter if area else math.nan
        return BoundaryMeasures(worst, worst, 0.0, relative, relative, 0.0 if area else math.nan)
    forth, back = _distances(prediction, target)
    both = np.concatenate([forth, back])
    furthest = float(max(np.percentile(forth, 95), np.percentile(back, 95)))
    average = float(both.mean())
    return BoundaryMeasures(
        furthest,
        average,
        float(np.mean(both <= tolerance)),
        furthest / diameter,
        average / diameter,
        float(np.mean(both <= relative_tolerance * diameter)),
    )


def near_boundary(prediction: BoolMask, target: BoolMask, *, distance: float = 10.0) -> BoolMask:
    """Mark the pixels at most ``distance`` from the border of either mask.

    Args:
        prediction: (H, W) bool.
        target: The same size.
        distance: In pixels, between centres.

    Returns:
        (H, W) bool; all False where both masks are empty.
    """
    near = np.zeros(target.shape, np.bool_)
    union = prediction | target
    if not union.any():
        return near
    rows, columns = _box(union, margin=math.ceil(distance))
    border = _border(prediction[rows, columns]) | _border(target[rows, columns])
    near[rows, columns] = _distance_to(border) <= distance
    return near


def _distances(prediction: BoolMask, target: BoolMask) -> tuple[_Distances, _Distances]:
    """Distances from the prediction's border pixels to the truth's border, and back."""
    # Nothing outside the box can be a border, nor nearer than what is inside.
    rows, columns = _box(prediction | target, margin=0)
    predicted, true = _border(prediction[rows, columns]), _border(target[rows, columns])
    return _distance_to(true)[predicted], _distance_to(predicted)[true]


def _border(mask: BoolMask) -> BoolMask:
    inside = cv2.erode(mask.astype(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(mask & (inside == 0), np.bool_)


def _distance_to(border: BoolMask) -> _Distances:
    distances = cv2.distanceTransform(
        (~border).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    # Squares of distances between pixels are whole numbers: this undoes the rounding to float32 up
    # to some 1,000 pixels; of what is further, less than 0.001 pixels of rounding is left.
    return np.sqrt(np.rint(np.square(distances.astype(np.float64))))


def _box(mask: BoolMask, *, margin: int) -> tuple[slice, slice]:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )
