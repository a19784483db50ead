"""The lesion in the numbers of dermoscopy: measures, never a diagnosis or a score.

Shape is measured on the mask as it is, colours on a cut around the lesion at one scale, so that
the figures do not depend on the photograph's resolution.

References:
    Nachbar et al. (1994), The ABCD rule of dermatoscopy, doi:10.1016/S0190-9622(94)70061-3: which
    asymmetries, sectors of the border and colours are looked at. How they are measured, and the six
    reference colours, are this project's.
    Žunić, Hirota, Rosin (2010), doi:10.1016/j.patcog.2009.06.017: compactness.
    Chardon, Cretois, Hourseau (1991), doi:10.1111/j.1467-2494.1991.tb00561.x: the angle ITA.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = ["REFERENCE_COLORS", "LesionDescription", "describe_lesion"]

REFERENCE_COLORS: Final[dict[str, tuple[int, int, int]]] = {
    "white": (240, 230, 225),
    "red": (190, 70, 70),
    "light_brown": (180, 125, 85),
    "dark_brown": (95, 60, 40),
    "blue_grey": (100, 115, 130),
    "black": (30, 25, 25),
}
"""The ABCD rule's six colours, in sRGB; a pixel has the one that is nearest in CIELAB."""

_SIDE = 256
_NUM_SECTORS = 8
_NUM_AXES = 18
_LEAST_SHARE = 0.05
# As shares of the radius of a disc of the lesion's area.
_BORDER, _SKIN = 0.1, (0.3, 0.7)
_DARK = 10.0
_LEAST_PIXELS = 20


@dataclass(frozen=True)
class LesionDescription:
    """What can be measured of a lesion; None where nothing is there to measure.

    Attributes:
        compactness: A^2 / (2 pi (m20 + m02)) with the area A and the central second moments m of
            the mask: 1 for a disc, 3/pi for a square, 2ab / (a^2 + b^2) for an ellipse.
        solidity: Area over that of the convex hull, in (0, 1]; holes count as missing.
        pigment_asymmetry: Mean colour difference, Delta E 1976, between points of the lesion and
            their mirror images over two perpendicular axes through its centre; the least over the
            directions of the axes, as the ABCD rule places them.
        border_abruptness: Lightness L* of the skin just outside the border less that just inside,
            in rings a tenth of the equivalent radius wide, in eight sectors of 45 degrees that
            begin at the major axis; None for a sector without pixels in both.
        colors: Share of the lesion by reference colour, in [0, 1]; they sum to 1.
        variegation: Root mean square Delta E between the lesion's colours and their mean.
        skin_ita: Individual typology angle of the skin around in degrees,
            atan((L* - 50) / b*) of the medians: above 55 very light, below -30 dark.
    """

    compactness: float | None = None
    solidity: float | None = None
    pigment_asymmetry: float | None = None
    border_abruptness: tuple[float | None, ...] = (None,) * _NUM_SECTORS
    colors: dict[str, float] = field(default_factory=dict)
    variegation: float | None = None
    skin_ita: float | None = None

    def to_dict(self) -> dict[str, float | int | None]:
        """The figures by name, ``num_colors`` counting those with a share of 5 % or more."""
        known = [value for value in self.border_abruptness if value is not None]
        shares = {f"color_{name}": self.colors.get(name) for name in REFERENCE_COLORS}
        num_colors = sum(share >= _LEAST_SHARE for share in self.colors.values())
        return {
            "compactness": self.compactness,
            "solidity": self.solidity,
            "pigment_asymmetry": self.pigment_asymmetry,
            "border_abruptness": sum(known) / len(known) if known else None,
            "border_abruptness_least": min(known, default=None),
            "border_abruptness_most": max(known, default=None),
            "num_colors": num_colors if self.colors else None,
            **shares,
            "variegation": self.variegation,
            "skin_ita": self.skin_ita,
        }


def describe_lesion(image: ImageArray, mask: BoolMask) -> LesionDescription:
    """Measure shape and colours of a lesion.

    Args:
        image: (h, w, 3) uint8 RGB, at any size.
        mask: (H, W) bool, of the same picture at any size.
    """
    if not mask.any():
        return LesionDescription()
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    box = x, y, width, height
    cut, lesion, seen = _cut(image, mask, box)
    unit = cut.astype(np.float32) / np.float32(255)
    lab: FloatArray = np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab), np.float32)
    compactness, solidity = _shape(mask, box)
    if np.count_nonzero(lesion) < _LEAST_PIXELS:
        return LesionDescription(compactness, solidity)
    # Without the pixels at the border, whose colours are mixed with the skin's.
    inner = cv2.erode(lesion.view(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_)
    colors = lab[inner if inner.any() else lesion]
    return LesionDescription(
        compactness=compactness,
        solidity=solidity,
        pigment_asymmetry=_pigment_asymmetry(lab, lesion, inner),
        border_abruptness=_abruptness(lab[..., 0], lesion, seen),
        colors=_shares(colors),
        variegation=float(np.sqrt(((colors - colors.mean(axis=0)) ** 2).sum(axis=1).mean())),
        skin_ita=_typology_angle(lab, lesion, seen),
    )


def _shape(mask: BoolMask, box: tuple[int, int, int, int]) -> tuple[float, float]:
    x, y, width, height = box
    cut = np.ascontiguousarray(mask[y : y + height, x : x + width])
    rows, columns = np.nonzero(cut)
    area = rows.size
    # Pixels are squares, whose own second moments are 1/12.
    spread = rows.var() + columns.var() + 1 / 6
    contours, _ = cv2.findContours(cut.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(contours).reshape(-1, 2).astype(np.float32)
    offsets = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]], np.float32)
    hull = cv2.convexHull((points[:, None] + offsets).reshape(-1, 2))
    return float(area / (2 * math.pi * spread)), float(area / cv2.contourArea(hull))


def _cut(
    image: ImageArray, mask: BoolMask, box: tuple[int, int, int, int]
) -> tuple[ImageArray, BoolMask, BoolMask]:
    """The lesion with skin around it, its box ``_SIDE`` pixels long: image, mask, what is in it."""
    x, y, width, height = box
    scale = _SIDE / max(width, height)
    radius = math.sqrt(np.count_nonzero(mask) / math.pi)
    margin = (1 + _SKIN[1]) * radius + 2 / scale
    centre = np.array([x + width / 2, y + height / 2])
    half = np.maximum([width / 2 + margin, height / 2 + margin], 1)
    size = tuple(int(side) for side in np.ceil(2 * half * scale))
    parts = []
    white = np.uint8(255)
    for values in (image, mask.view(np.uint8) * white, np.full(mask.shape, white)):
        # Where a point of the cut lies in the values, whose corner is the pixel's edge.
        ratio = np.array(values.shape[1::-1]) / mask.shape[::-1]
        matrix = np.zeros((2, 3))
        matrix[:, :2] = np.diag(ratio / scale)
        matrix[:, 2] = (centre - half) * ratio + ratio / scale / 2 - 0.5
        step = max(1.0, float(ratio[0] / scale))
        smooth = cv2.GaussianBlur(values, (0, 0), 0.4 * step) if step > 1 else values
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        parts.append(cv2.warpAffine(smooth, matrix, size, flags=flags, borderValue=(0, 0, 0)))
    return parts[0].astype(np.uint8), parts[1] > 127, parts[2] > 254


def _pigment_asymmetry(lab: FloatArray, lesion: BoolMask, inner: BoolMask) -> float | None:
    rows, columns = np.nonzero(lesion)
    centre = np.array([columns.mean(), rows.mean()])
    differences = []
    for angle in np.arange(_NUM_AXES * 2) * math.pi / (_NUM_AXES * 2):
        cos, sin = math.cos(2 * angle), math.sin(2 * angle)
        mirror = np.array([[cos, sin], [sin, -cos]])
        matrix = np.column_stack([mirror, centre - mirror @ centre])
        size = lesion.shape[::-1]
        folded = cv2.warpAffine(lab, matrix, size)
        inside = cv2.warpAffine(inner.astype(np.float32), matrix, size) > 0.99
        both = inner & inside
        if not both.any():
            return None
        differences.append(np.linalg.norm(lab[both] - folded[both], axis=1).mean())
    pairs = np.array(differences).reshape(2, _NUM_AXES).mean(axis=0)
    return float(pairs.min())


def _abruptness(
    lightness: FloatArray, lesion: BoolMask, seen: BoolMask
) -> tuple[float | None, ...]:
    width = _BORDER * math.sqrt(np.count_nonzero(lesion) / math.pi)
    inner = cv2.distanceTransform(lesion.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outer = cv2.distanceTransform((~lesion).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rows, columns = np.nonzero(lesion)
    y, x = np.mgrid[: lesion.shape[0], : lesion.shape[1]]
    covariance = np.cov(columns, rows)
    axis = 0.5 * math.atan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1])
    angle = np.arctan2(y - rows.mean(), x - columns.mean()) - axis
    sector = np.floor(angle / (2 * math.pi) * _NUM_SECTORS).astype(int) % _NUM_SECTORS
    values: list[float | None] = []
    for number in range(_NUM_SECTORS):
        here = (sector == number) & seen
        rings = [here & (distance > 0) & (distance <= width) for distance in (outer, inner)]
        outside, inside = (lightness[ring] for ring in rings)
        both = outside.size > 0 and inside.size > 0
        values.append(float(outside.mean() - inside.mean()) if both else None)
    return tuple(values)


def _shares(colors: FloatArray) -> dict[str, float]:
    palette = np.array([[*REFERENCE_COLORS.values()]], np.float32) / np.float32(255)
    reference = cv2.cvtColor(palette, cv2.COLOR_RGB2Lab)[0]
    distances = np.stack([((colors - color) ** 2).sum(axis=1) for color in reference], axis=1)
    counts: NDArray[np.intp] = np.bincount(distances.argmin(axis=1), minlength=len(reference))
    return {
        name: float(count / len(colors))
        for name, count in zip(REFERENCE_COLORS, counts, strict=True)
    }


def _typology_angle(lab: FloatArray, lesion: BoolMask, seen: BoolMask) -> float | None:
    radius = math.sqrt(np.count_nonzero(lesion) / math.pi)
    distance = cv2.distanceTransform((~lesion).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Dark are the corners of the field of view.
    ring = (distance > _SKIN[0] * radius) & (distance < _SKIN[1] * radius) & (lab[..., 0] > _DARK)
    ring &= seen
    if np.count_nonzero(ring) < _LEAST_PIXELS:
        return None
    lightness, _, yellow = np.median(lab[ring], axis=0)
    return math.degrees(math.atan2(lightness - 50, yellow)) if yellow > 0 else None
