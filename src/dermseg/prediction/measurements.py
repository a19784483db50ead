"""Size and shape of a mask, in pixels and, where the scale is known, in millimetres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.preprocessing import limited_size
from dermseg.types import BoolMask, FloatArray

__all__ = ["Measurements", "attribute_cells", "attribute_columns", "measure"]

_ASYMMETRY_SIDE = 256


@dataclass(frozen=True)
class Measurements:
    """Size and shape of one mask; lengths in pixels.

    What an empty mask does not have is None.

    Attributes:
        area: Pixels in the mask.
        area_share: Share of the image that is in the mask, in [0, 1].
        box: Bounding box (x, y, width, height), x to the right and y downwards from 0.
        centroid: (x, y) of the centre of mass, pixel centres at whole numbers.
        perimeter: Length of the border, holes included, by Crofton's formula in four directions.
        longest_diameter: Largest distance between two corners of the mask's pixels.
        circularity: 4 pi area / perimeter^2: 1 for a disc, less for ragged or long shapes; above
            1 only for a few pixels, whose perimeter the formula underestimates.
        asymmetry: Share of the area that does not lie on itself when the mask is folded over its
            principal axes, the mean of both: 0 for symmetric shapes, below 1 for all.
        mean_probability: Mean probability of the mask's pixels.
        num_regions: Number of 8-connected regions.
    """

    area: int
    area_share: float
    box: tuple[int, int, int, int] | None
    centroid: tuple[float, float] | None
    perimeter: float
    longest_diameter: float
    circularity: float | None
    asymmetry: float | None
    mean_probability: float | None
    num_regions: int

    def to_dict(self) -> dict[str, int | float | None]:
        """The measurements by column of ``predictions.csv``; lengths in pixels."""
        x, y, width, height = self.box or (None,) * 4
        centroid_x, centroid_y = self.centroid or (None, None)
        return {
            "area_pixels": self.area,
            "area_share": self.area_share,
            "box_x": x,
            "box_y": y,
            "box_width": width,
            "box_height": height,
            "centroid_x": centroid_x,
            "centroid_y": centroid_y,
            "perimeter": self.perimeter,
            "longest_diameter": self.longest_diameter,
            "circularity": self.circularity,
            "asymmetry": self.asymmetry,
            "mean_probability": self.mean_probability,
            "num_regions": self.num_regions,
        }

    def in_mm(self, spacing_mm: float) -> dict[str, float]:
        """Area in mm2 and lengths in mm, for square pixels ``spacing_mm`` wide.

        Raises:
            ValueError: If ``spacing_mm`` is not a finite number above 0.
        """
        if not 0 < spacing_mm < math.inf:
            message = f"the pixel spacing is {spacing_mm} mm, expected a number above 0"
            raise ValueError(message)
        return {
            "area_mm2": self.area * spacing_mm**2,
            "perimeter_mm": self.perimeter * spacing_mm,
            "longest_diameter_mm": self.longest_diameter * spacing_mm,
        }


def measure(mask: BoolMask, probability: FloatArray) -> Measurements:
    """Measure a mask.

    Args:
        mask: (H, W) bool.
        probability: (H, W) float in [0, 1], from which the mask was made.
    """
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        return Measurements(0, 0.0, None, None, 0.0, 0.0, None, None, None, 0)
    box = slice(y, y + height), slice(x, x + width)
    cut = np.ascontiguousarray(mask[box])
    area = int(np.count_nonzero(cut))
    # Sums of whole numbers: exact, and faster than OpenCV's moments.
    per_column, per_row = (
        cv2.reduce(cut.view(np.uint8), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
        for axis in (0, 1)
    )
    centroid = (
        float(per_column @ np.arange(width)) / area + x,
        float(per_row @ np.arange(height)) / area + y,
    )
    perimeter = _perimeter(cut)
    contours, hierarchy = cv2.findContours(
        cut.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    outer = [contours[number] for number in np.flatnonzero(hierarchy[0, :, 3] < 0).tolist()]
    return Measurements(
        area=area,
        area_share=area / mask.size,
        box=(x, y, width, height),
        centroid=centroid,
        perimeter=perimeter,
        longest_diameter=_longest_diameter(outer),
        circularity=4 * math.pi * area / perimeter**2,
        asymmetry=_asymmetry(cut),
        mean_probability=cv2.mean(probability[box], cut.view(np.uint8))[0],
        num_regions=len(outer),
    )


def _perimeter(mask: BoolMask) -> float:
    """Crofton's formula: count how often lines in four directions cross the border."""
    padded = np.pad(mask, 1)
    straight = np.count_nonzero(padded[1:] != padded[:-1])
    straight += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    diagonal = np.count_nonzero(padded[1:, 1:] != padded[:-1, :-1])
    diagonal += np.count_nonzero(padded[1:, :-1] != padded[:-1, 1:])
    return float(math.pi / 8 * (straight + diagonal / math.sqrt(2)))


def _longest_diameter(contours: Sequence[NDArray[Any]]) -> float:
    points = np.concatenate(contours).reshape(-1, 2).astype(np.float32)
    hull = cv2.convexHull(points).reshape(-1, 2)
    offsets = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]], dtype=np.float32)
    corners = cv2.convexHull((hull[:, None] + offsets).reshape(-1, 2)).reshape(-1, 2)
    distances: NDArray[np.float32] = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    return float(distances.max())


def _asymmetry(mask: BoolMask) -> float:
    """Fold the mask over its principal axes, at a size that keeps this quick."""
    height, width = limited_size((mask.shape[0], mask.shape[1]), _ASYMMETRY_SIDE)
    small = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    # One pixel around it, because OpenCV takes an array of two columns for points.
    moments = cv2.moments(cv2.copyMakeBorder(small, *(1,) * 4, cv2.BORDER_CONSTANT, value=0))
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"] - 1
    angle = 0.5 * math.atan2(2 * moments["mu11"], moments["mu20"] - moments["mu02"])
    mirrors = [_mirror(angle), _mirror(angle + math.pi / 2)]
    # Room around the mask, so that nothing that is folded falls off the picture; no more than
    # that, because folding takes the time of all measurements together.
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) - centre
    folded_corners = np.concatenate([corners @ mirror + centre for mirror in mirrors])
    beyond = max((-folded_corners).max(), (folded_corners - [width, height]).max(), 0)
    margin = math.ceil(beyond) + 1
    small = cv2.copyMakeBorder(small, *(margin,) * 4, cv2.BORDER_CONSTANT, value=0)
    centre += margin
    total = float(small.sum())
    apart = 0.0
    for mirror in mirrors:
        matrix = np.column_stack([mirror, centre - mirror @ centre])
        folded = cv2.warpAffine(small, matrix, small.shape[::-1])
        apart += float(np.abs(small - folded).sum()) / (2 * total)
    return apart / 2


def _mirror(angle: float) -> NDArray[np.float64]:
    """The matrix that folds the plane over a line through the origin at an angle, in radians."""
    cos, sin = math.cos(2 * angle), math.sin(2 * angle)
    return np.array([[cos, sin], [sin, -cos]])


def attribute_columns(name: str) -> tuple[str, str]:
    """Columns of an attribute: its share of the lesion, and how likely it is that it is there."""
    return f"attribute_{name}_share", f"attribute_{name}_presence"


def attribute_cells(
    name: str, mask: BoolMask, lesion: BoolMask, presence: float
) -> dict[str, float | None]:
    """The measurements of an attribute by column; the share is None where there is no lesion.

    Args:
        name: The attribute.
        mask: (H, W) bool, its mask.
        lesion: (H, W) bool, that of the lesion.
        presence: How likely it is that the image shows it, in [0, 1].
    """
    area = np.count_nonzero(lesion)
    share = float(np.count_nonzero(mask & lesion) / area) if area else None
    return dict(zip(attribute_columns(name), (share, presence), strict=True))
