"""What is measured of an image, and what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dermseg.evaluation.files import MaskFile
from dermseg.evaluation.image_statistics import STATISTICS, ImageStatistics
from dermseg.evaluation.protocols import Protocol, Scaling
from dermseg.evaluation.score_table import BOUNDARY_SCORES, PROBABILITY_SCORES
from dermseg.metrics import BoundaryMeasures, ConfusionCounts, ProbabilityCounts
from dermseg.prediction import Quality

__all__ = [
    "BORDER_WIDTH",
    "ImageScore",
    "Measures",
    "ProbabilityMeasures",
]

BORDER_WIDTH: Final = 10
"""Pixels from either border within which the calibration near the border is measured."""


@dataclass(frozen=True)
class Measures:
    """What is measured besides the overlap of the masks at native size.

    Attributes:
        boundary: Border distances, see `BoundaryMeasures`.
        tolerance: Of the normalised surface distance, in pixels.
        relative_tolerance: The same, as a share of the lesion's diameter.
        probability: Scores of the probabilities, where there are any.
        protocols: Whose figures are to be computed.
        lesions: True lesion masks by image, for protocols that score inside the lesion; an image
            without one is scored as a whole.
        statistics: What the images show, where there are images, see `ImageStatistics`.
    """

    boundary: bool = False
    tolerance: float = 3.0
    relative_tolerance: float = 0.02
    probability: bool = False
    protocols: tuple[Protocol, ...] = ()
    lesions: Mapping[str, MaskFile] = field(default_factory=dict)
    statistics: bool = False

    @property
    def scalings(self) -> tuple[Scaling, ...]:
        """Sizes at which the protocols compare masks, besides the native one."""
        wanted = dict.fromkeys(protocol.scaling for protocol in self.protocols)
        return tuple(scaling for scaling in wanted if scaling.size is not None)


@dataclass(frozen=True)
class ProbabilityMeasures:
    """Scores of the probabilities of one image; NaN where one is undefined.

    Attributes:
        counts: Pixels by probability and truth, from which the scores follow; None once they have
            been added to those of the other images, because many images would fill the memory.
        border_counts: The same within `BORDER_WIDTH` pixels of either border.
    """

    counts: ProbabilityCounts | None
    border_counts: ProbabilityCounts | None
    auc: float
    average_precision: float
    brier_score: float
    cross_entropy: float
    expected_calibration_error: float
    border_expected_calibration_error: float

    @classmethod
    def from_counts(
        cls, counts: ProbabilityCounts, border_counts: ProbabilityCounts
    ) -> ProbabilityMeasures:
        """Compute all scores."""
        return cls(
            counts,
            border_counts,
            auc=counts.auc(),
            average_precision=counts.average_precision(),
            brier_score=counts.brier_score(),
            cross_entropy=counts.cross_entropy(),
            expected_calibration_error=counts.expected_calibration_error(),
            border_expected_calibration_error=border_counts.expected_calibration_error(),
        )


@dataclass(frozen=True)
class ImageScore:
    """The scores of one image at the native size of its truth.

    Undefined scores are 1, as in the ISIC challenge.

    Attributes:
        id: The image.
        counts: Pixels by prediction and truth; the scores follow from them.
        boundary: Border distances, if they were asked for.
        probability: Scores of the probabilities, if there are any and they were asked for.
        scaled_counts: The pixels at the other sizes that protocols ask for.
        truth_is_binary: See `CheckedMask`.
        prediction_is_binary: Likewise.
        findings: What is odd about the files; they were scored all the same.
        statistics: What the image shows, if it was asked for and there is an image.
        quality: What the model expected of its mask, if it said so.
    """

    id: str
    counts: ConfusionCounts
    jaccard: float
    thresholded_jaccard: float
    dice: float
    accuracy: float
    sensitivity: float
    specificity: float
    precision: float
    boundary: BoundaryMeasures | None = None
    probability: ProbabilityMeasures | None = None
    scaled_counts: Mapping[Scaling, ConfusionCounts] = field(default_factory=dict)
    truth_is_binary: bool = True
    prediction_is_binary: bool = True
    findings: tuple[str, ...] = ()
    statistics: ImageStatistics | None = None
    quality: Quality | None = None

    @classmethod
    def from_counts(
        cls,
        id: str,
        counts: ConfusionCounts,
        *,
        boundary: BoundaryMeasures | None = None,
        probability: ProbabilityMeasures | None = None,
        scaled_counts: Mapping[Scaling, ConfusionCounts] | None = None,
        truth_is_binary: bool = True,
        prediction_is_binary: bool = True,
        findings: tuple[str, ...] = (),
        statistics: ImageStatistics | None = None,
        quality: Quality | None = None,
    ) -> ImageScore:
        """Compute all scores of overlap of an image."""
        return cls(
            id,
            counts,
            jaccard=counts.jaccard(),
            thresholded_jaccard=counts.thresholded_jaccard(),
            dice=counts.dice(),
            accuracy=counts.accuracy(),
            sensitivity=counts.sensitivity(),
            specificity=counts.specificity(),
            precision=counts.precision(),
            boundary=boundary,
            probability=probability,
            scaled_counts=scaled_counts or {},
            truth_is_binary=truth_is_binary,
            prediction_is_binary=prediction_is_binary,
            findings=findings,
            statistics=statistics,
            quality=quality,
        )

    @property
    def lesion_share(self) -> float:
        """Share of the field of view that is lesion; of all pixels where there is no image."""
        if self.statistics is not None:
            return self.statistics.lesion_share
        counts = self.counts
        return (counts.tp + counts.fn) / (counts.tp + counts.fn + counts.fp + counts.tn)

    def value(self, name: str) -> float:
        """Return a score by name; NaN where it is undefined or was not measured."""
        owner: object = self
        if name in BOUNDARY_SCORES:
            owner = self.boundary
        elif name in PROBABILITY_SCORES:
            owner = self.probability
        elif name in STATISTICS:
            owner = self.statistics
        return math.nan if owner is None else float(getattr(owner, name))
