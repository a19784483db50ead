"""Measurements of an image: what is asked for, and the scores and statistics."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.errors import UsageError
from dermseg.evaluation.masks import MaskFile
from dermseg.evaluation.protocols import DEFAULT_PROTOCOLS, MaskRole, Protocol, Scaling
from dermseg.evaluation.score_table import SCORES
from dermseg.metrics import BoundaryMeasures, ConfusionCounts, ProbabilityCounts
from dermseg.prediction import Quality
from dermseg.preprocessing import find_background, limited_size, resize_image, resize_mask
from dermseg.types import BoolMask, ImageArray

__all__ = [
    "BORDER_WIDTH",
    "STATISTICS",
    "Histograms",
    "ImageScore",
    "ImageStatistics",
    "Measures",
    "are_attributes",
    "attribute_of",
    "group_of",
    "image_of",
    "individual_typology_angle",
    "measure_image",
    "probability_scores",
]

BORDER_WIDTH: Final = 10
"""Pixels from either border within which the calibration near the border is measured."""

Histograms = tuple[ProbabilityCounts, ProbabilityCounts]
"""Pixels by probability and truth: all of them, and those within `BORDER_WIDTH` of a border."""


# Class names as model packages allow them.
_ATTRIBUTE = re.compile(r"_attribute_([A-Za-z0-9][A-Za-z0-9_-]*)$")


_SIDE = 512
# The lesion's border is soft, and so is the edge of what the dermatoscope lights.
_GAP_SHARE = 0.01
_RING_SHARE = 0.08
_FEWEST_PIXELS = 50


@dataclass(frozen=True)
class Measures:
    """The measurements to make besides the overlap of the masks at native size.

    Attributes:
        boundary: Border distances, see `BoundaryMeasures`.
        tolerance: Tolerance of the normalised surface distance, in pixels.
        relative_tolerance: The same, as a share of the lesion's diameter.
        probability: Scores of the probabilities, where there are any.
        protocols: Whose figures are to be computed, where they are made for such masks. The first
            of these makes the aggregates.
        lesions: True lesion masks by image, for protocols that score inside the lesion; an image
            without one is scored as a whole.
        statistics: What the images show, where there are images, see `ImageStatistics`.
    """

    boundary: bool = False
    tolerance: float = 3.0
    relative_tolerance: float = 0.02
    probability: bool = False
    protocols: tuple[Protocol, ...] = DEFAULT_PROTOCOLS
    lesions: Mapping[str, MaskFile] = field(default_factory=dict)
    statistics: bool = False

    def __post_init__(self) -> None:
        """Refuse tolerances that are no lengths.

        Raises:
            UsageError: If one is negative or not finite.
        """
        for name in ("tolerance", "relative_tolerance"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                message = f"the {name.replace('_', ' ')} is {value}, expected a number from 0 on"
                raise UsageError(message)

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """Sizes at which the protocols compare masks, besides the native one."""
        wanted = dict.fromkeys(protocol.scaling for protocol in self.protocols)
        return tuple(scaling for scaling in wanted if scaling.size is not None)

    @property
    def auc_scalings(self) -> tuple[Scaling, ...]:
        """Sizes at which the protocols score probabilities."""
        return tuple(protocol.scaling for protocol in self.protocols if protocol.auc)


@dataclass(frozen=True)
class ImageStatistics:
    """Statistics of what an image shows; NaN where something cannot be measured.

    Attributes:
        lesion_share: Share of the field of view that is lesion, in [0, 1].
        contrast: Distance in CIELAB (CIE76) between the median colours of the lesion and of the
            skin around it. About 2 is just seen.
        skin_ita: Individual typology angle of the skin around the lesion, in degrees; the higher
            the lighter. Photographs that are not calibrated give it only relative to each other.
    """

    lesion_share: float
    contrast: float
    skin_ita: float


STATISTICS: Final = tuple(entry.name for entry in fields(ImageStatistics))
"""The names of what `measure_image` measures."""


@dataclass(frozen=True)
class ImageScore:
    """The measurements of one image at the native size of its truth.

    Attributes:
        id: The image.
        counts: Pixels by prediction and truth; all scores of overlap follow from them.
        scaled_counts: The pixels at the other sizes that protocols ask for.
        scaled_auc: Area under the ROC curve at these sizes, where a protocol scores it and there
            are probabilities; NaN where the truth has only one value.
        boundary: Border distances, if they were asked for.
        probability: Scores of the probabilities by name, NaN where one is undefined, if there are
            any and they were asked for.
        histograms: What these follow from; None once they have been added to those of the other
            images, because many images would fill the memory.
        statistics: What the image shows, if it was asked for and there is an image.
        quality: What the model expected of its mask, if it said so.
        not_binary: Which of the masks hold other values than 0 and 255, see `CheckedMask`.
        findings: What is odd about the files; they were scored all the same.
    """

    id: str
    counts: ConfusionCounts
    scaled_counts: Mapping[Scaling, ConfusionCounts] = field(default_factory=dict)
    scaled_auc: Mapping[Scaling, float] = field(default_factory=dict)
    boundary: BoundaryMeasures | None = None
    probability: Mapping[str, float] | None = None
    histograms: Histograms | None = None
    statistics: ImageStatistics | None = None
    quality: Quality | None = None
    not_binary: frozenset[MaskRole] = frozenset()
    findings: tuple[str, ...] = ()

    @classmethod
    def from_counts(cls, id: str, counts: ConfusionCounts) -> ImageScore:
        """Return the scores of overlap alone."""
        return cls(id, counts)

    @property
    def jaccard(self) -> float:
        """Jaccard index; 1 where both masks are empty, as in the ISIC challenge."""
        return self.counts.jaccard()

    @property
    def dice(self) -> float:
        """Dice coefficient; 1 where both masks are empty."""
        return self.counts.dice()

    @property
    def lesion_share(self) -> float:
        """Share of the field of view that is lesion; of all pixels where there is no image."""
        if self.statistics is not None:
            return self.statistics.lesion_share
        counts = self.counts
        return (counts.tp + counts.fn) / (counts.tp + counts.fn + counts.fp + counts.tn)

    def value(self, name: str) -> float:
        """Return a score or a statistic by name; NaN where it is undefined or was not measured.

        Scores of overlap that are undefined are 1, as in the ISIC challenge.
        """
        if name in STATISTICS:
            return math.nan if self.statistics is None else float(getattr(self.statistics, name))
        match SCORES[name].of:
            case "overlap":
                return float(getattr(self.counts, name)())
            case "boundary":
                return math.nan if self.boundary is None else float(getattr(self.boundary, name))
            case "probability":
                return math.nan if self.probability is None else self.probability[name]


def probability_scores(histograms: Histograms) -> dict[str, float]:
    """Compute all scores of probabilities, of one image or of many; NaN where one is undefined."""
    everywhere, border = histograms
    return {
        "auc": everywhere.auc(),
        "average_precision": everywhere.average_precision(),
        "brier_score": everywhere.brier_score(),
        "cross_entropy": everywhere.cross_entropy(),
        "expected_calibration_error": everywhere.expected_calibration_error(),
        "border_expected_calibration_error": border.expected_calibration_error(),
    }


def are_attributes(scores: Sequence[ImageScore]) -> bool:
    """Whether there are scores, and all are of masks of dermoscopic attributes."""
    return bool(scores) and all(attribute_of(score.id) for score in scores)


def group_of(id: str, groups: Mapping[str, str]) -> str:
    """Return the group of an image; the masks of its attributes belong together.

    Example:
        >>> group_of("ISIC_0000001_attribute_globules", {"ISIC_0000001": "lesion 7"})
        'lesion 7'
    """
    image = image_of(id)
    return groups.get(id, groups.get(image, image))


def image_of(id: str) -> str:
    """Return the image that a mask belongs to: its id without the attribute.

    Example:
        >>> image_of("ISIC_0000001_attribute_streaks"), image_of("ISIC_0000001")
        ('ISIC_0000001', 'ISIC_0000001')
    """
    return _ATTRIBUTE.sub("", id)


def attribute_of(id: str) -> str | None:
    """Return the dermoscopic attribute that a mask is of, if its name says so.

    Example:
        >>> attribute_of("ISIC_0000001_attribute_milia_like_cyst")
        'milia_like_cyst'
    """
    match = _ATTRIBUTE.search(id)
    return match[1] if match else None


def measure_image(image: ImageArray, lesion: BoolMask) -> ImageStatistics:
    """Measure an image, reduced to a long side of 512 pixels.

    Skin is a ring around the lesion, 8 % of the long side wide, that begins 1 % outside of the
    lesion. Where a large lesion leaves less than 50 pixels of it, it is all that is not lesion;
    without lesion, it is the whole field of view. What is dark outside the field of view counts
    as neither. The colours are medians, so that single hairs and reflections do not matter.

    Args:
        image: (H, W, 3) uint8 RGB, taken as sRGB.
        lesion: The true mask, (H, W) bool.

    Raises:
        ValueError: If the sizes differ.
    """
    if image.shape[:2] != lesion.shape:
        raise ValueError(f"the image is {image.shape[:2]} pixels and the mask {lesion.shape}")
    size = limited_size((lesion.shape[0], lesion.shape[1]), _SIDE)
    small, mask = resize_image(image, size), resize_mask(lesion, size)
    gap = max(1, round(_GAP_SHARE * max(size)))
    # What is marked as lesion is none of the background, however dark.
    field = mask | ~_widened(find_background(small) & ~mask, gap)
    share = float(np.count_nonzero(mask) / np.count_nonzero(field)) if field.any() else math.nan
    skin = _find_skin(mask, field, gap)
    colors = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    skin_color = _median(colors, skin)
    contrast = float(np.linalg.norm(_median(colors, mask) - skin_color))
    lightness, _, yellowness = map(float, skin_color)
    return ImageStatistics(share, contrast, individual_typology_angle(lightness, yellowness))


def individual_typology_angle(lightness: float, yellowness: float) -> float:
    """Angle of a skin colour in the plane of L* and b*: arctan((L* - 50) / b*), in degrees.

    Above 55 is called very light, above 41 light, above 28 intermediate, above 10 tan, above -30
    brown, and the rest dark.

    Args:
        lightness: L* of CIELAB, 0 to 100.
        yellowness: b* of CIELAB.

    References:
        Chardon et al. (1991), doi:10.1111/j.1467-2494.1991.tb00561.x;
        Del Bino & Bernerd (2013), doi:10.1111/bjd.12529, for the limits.

    Example:
        >>> round(individual_typology_angle(70, 20), 6)
        45.0
    """
    # Bluish skin (b* below 0) comes from the camera: the angle goes on growing, without a jump.
    return math.degrees(math.atan2(lightness - 50, yellowness))


def _find_skin(lesion: BoolMask, field: BoolMask, gap: int) -> BoolMask:
    if not lesion.any():
        return field
    outside = ~_widened(lesion, gap) & field
    ring = outside & _widened(lesion, gap + round(_RING_SHARE * max(lesion.shape)))
    return ring if np.count_nonzero(ring) >= _FEWEST_PIXELS else outside


def _median(colors: NDArray[Any], where: BoolMask) -> NDArray[np.float64]:
    if np.count_nonzero(where) < _FEWEST_PIXELS:
        return np.full(3, np.nan)
    return np.asarray(np.median(colors[where], axis=0), np.float64)


def _widened(mask: BoolMask, radius: int) -> BoolMask:
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius, np.bool_)
