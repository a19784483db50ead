"""From a probability map at native size to a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.recipes import Postprocessing
from dermseg.types import BoolMask, FloatArray

__all__ = [
    "dilate",
    "erode",
    "fill_holes",
    "keep_largest_region",
    "postprocess",
    "remove_small_regions",
    "threshold_probability",
]


def threshold_probability(probability: FloatArray, threshold: float) -> BoolMask:
    """Set the pixels whose probability is at least a threshold.

    This is the rule of prediction, of what describes a prediction, of calibration and of training.
    The threshold is compared in the precision of the probabilities.

    Args:
        probability: Float in [0, 1], of any shape.
        threshold: In (0, 1).

    Returns:
        Bool, in the same shape.

    Example:
        >>> threshold_probability(np.array([0.25, 0.5, 0.75]), 0.5).tolist()
        [False, True, True]
    """
    return np.asarray(probability >= threshold, dtype=np.bool_)


def postprocess(
    probability: FloatArray, options: Postprocessing, class_name: str = "lesion"
) -> BoolMask:
    """Threshold a probability map, then clean the mask as the options say.

    In this order: threshold, erosion, dilation, largest region, holes, minimum area. So specks
    and bridges that the erosion takes away do not come back, and areas count with their holes
    filled.

    Args:
        probability: (H, W) float in [0, 1], at native size.
        options: Threshold and cleaning.
        class_name: Chooses the threshold and the kernels.

    Returns:
        (H, W) bool.
    """
    mask = threshold_probability(probability, options.threshold_of(class_name))
    mask = erode(mask, _kernel_side(options.erosion.get(class_name, 0.0), mask))
    mask = dilate(mask, _kernel_side(options.dilation.get(class_name, 0.0), mask))
    if options.largest_region:
        mask = _largest_filled(mask) if options.fill_holes else keep_largest_region(mask)
    elif options.fill_holes:
        mask = fill_holes(mask)
    return remove_small_regions(mask, options.min_area * mask.size)


def erode(mask: BoolMask, side: int) -> BoolMask:
    """Keep the pixels around which a square of ``side`` pixels, an odd number, is all mask.

    Beyond the image's edge all counts as mask.
    """
    return mask if side == 1 else _distance_to_zero(mask) > side // 2


def dilate(mask: BoolMask, side: int) -> BoolMask:
    """Put a square of ``side`` pixels, an odd number, around each pixel of the mask."""
    return mask if side == 1 else _distance_to_zero(~mask) <= side // 2


def _distance_to_zero(mask: BoolMask) -> NDArray[np.float32]:
    """Chessboard distance to the nearest pixel that is not set; the largest float where none is.

    In a time that does not grow with the kernel, as that of OpenCV's erosion does.
    """
    distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_C, cv2.DIST_MASK_3)
    return np.asarray(distance, np.float32)


def _kernel_side(share: float, mask: BoolMask) -> int:
    """The odd number of pixels nearest to a share of the shorter side; 1 changes nothing."""
    return 2 * int(share * min(mask.shape) / 2) + 1


def keep_largest_region(mask: BoolMask) -> BoolMask:
    """Keep the largest 8-connected region; an empty mask stays empty.

    Among regions of the same size, the one that starts highest, then leftmost, is kept.
    """
    num_labels, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    if num_labels <= 2:
        return mask
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(labels == largest, dtype=np.bool_)


def _largest_filled(mask: BoolMask) -> BoolMask:
    """``fill_holes(keep_largest_region(mask))`` from the borders alone: a twentieth of its time."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    contours, hierarchy = cv2.findContours(
        np.ascontiguousarray(mask[y : y + height, x : x + width]).view(np.uint8),
        cv2.RETR_CCOMP,
        cv2.CHAIN_APPROX_NONE,
        offset=(x, y),
    )
    areas: dict[int, float] = {}
    parents = hierarchy[0, :, 3].tolist() if contours else []
    for number, (contour, parent) in enumerate(zip(contours, parents, strict=True)):
        # Pick's theorem: pixel centres inside the border, without those on it.
        num_steps = len(contour) if len(contour) > 1 else 0
        inside = cv2.contourArea(contour) - num_steps / 2 + 1
        if parent < 0:
            areas[number] = areas.get(number, 0.0) + inside + num_steps
        else:
            areas[parent] = areas.get(parent, 0.0) - inside
    filled = np.zeros(mask.shape, dtype=np.uint8)
    if areas:
        most = max(areas.values())
        candidates = [contours[number] for number, area in areas.items() if area == most]
        rows_first = np.array([1, mask.shape[1]])
        largest = min(candidates, key=lambda contour: int((contour[:, 0] @ rows_first).min()))
        cv2.drawContours(filled, [largest], -1, color=1, thickness=cv2.FILLED)
    return filled.view(np.bool_)


def fill_holes(mask: BoolMask) -> BoolMask:
    """Fill what is enclosed by the mask; what touches the image's edge is no hole.

    Example:
        >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
        >>> bool(fill_holes(ring).all())
        True
    """
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, dtype=np.uint8)
    cv2.drawContours(filled, contours, -1, color=1, thickness=cv2.FILLED)
    return filled.view(np.bool_)


def remove_small_regions(mask: BoolMask, min_area: float) -> BoolMask:
    """Remove the 8-connected regions of fewer than ``min_area`` pixels."""
    if min_area <= 1:
        return mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    is_kept = stats[:, cv2.CC_STAT_AREA] >= min_area
    is_kept[0] = False  # the background
    return np.asarray(is_kept[labels], dtype=np.bool_)
