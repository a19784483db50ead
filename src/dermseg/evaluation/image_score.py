"""What is measured of an image, and what came out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from dermseg.evaluation.files import MaskFile
from dermseg.evaluation.image_statistics import STATISTICS, ImageStatistics
from dermseg.evaluation.protocols import DEFAULT_PROTOCOLS, Protocol, Scaling
from dermseg.evaluation.score_table import SCORES
from dermseg.metrics import BoundaryMeasures, ConfusionCounts, ProbabilityCounts
from dermseg.prediction import Quality

__all__ = [
    "BORDER_WIDTH",
    "Histograms",
    "ImageScore",
    "Measures",
    "attribute_of",
    "group_of",
    "image_of",
    "probability_scores",
]

BORDER_WIDTH: Final = 10
"""Pixels from either border within which the calibration near the border is measured."""

Histograms = tuple[ProbabilityCounts, ProbabilityCounts]
"""Pixels by probability and truth: all of them, and those within `BORDER_WIDTH` of a border."""


# Class names as model packages allow them.
_ATTRIBUTE = re.compile(r"_attribute_([A-Za-z0-9][A-Za-z0-9_-]*)$")


@dataclass(frozen=True)
class Measures:
    """What is measured besides the overlap of the masks at native size.

    Attributes:
        boundary: Border distances, see `BoundaryMeasures`.
        tolerance: Of the normalised surface distance, in pixels.
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

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """Sizes at which the protocols compare masks, besides the native one."""
        wanted = dict.fromkeys(protocol.scaling for protocol in self.protocols)
        return tuple(scaling for scaling in wanted if scaling.size is not None)


@dataclass(frozen=True)
class ImageScore:
    """What was measured of one image at the native size of its truth.

    Attributes:
        id: The image.
        counts: Pixels by prediction and truth; all scores of overlap follow from them.
        scaled_counts: The pixels at the other sizes that protocols ask for.
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
    boundary: BoundaryMeasures | None = None
    probability: Mapping[str, float] | None = None
    histograms: Histograms | None = None
    statistics: ImageStatistics | None = None
    quality: Quality | None = None
    not_binary: frozenset[Literal["truth", "prediction"]] = frozenset()
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
