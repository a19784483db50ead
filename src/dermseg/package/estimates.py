"""Estimates that a package carries of its own reliability: numbers, fitted to true masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from dermseg.recipes.tables import Share, Table

__all__ = [
    "FARTHEST",
    "Calibration",
    "LinearModel",
    "OutOfDistributionModel",
    "PresenceEstimate",
    "PresenceModel",
    "QualityModel",
    "Reliability",
]

FARTHEST: Final = 4.0
"""What lies further out, in scales from the centre, is taken to lie there."""


class LinearModel(Table):
    """The logistic function of a weighted sum of features, and of their squares.

    Attributes:
        features: Their names.
        centres: What is subtracted from each.
        scales: What each is then divided by; the result is kept within -4 and 4.
        weights: Weight of each feature.
        squares: Weights of their squares; empty where these do not count.
        intercept: The sum where every feature is at its centre.

    Example:
        >>> model = LinearModel(
        ...     features=["contrast"], centres=[2.0], scales=[1.0], weights=[1.0], intercept=0.0
        ... )
        >>> model({"contrast": 2.0})
        0.5
    """

    features: list[str] = Field(min_length=1)
    centres: list[float]
    scales: list[Annotated[float, Field(gt=0)]]
    weights: list[float]
    squares: list[float] = Field(default_factory=list)
    intercept: float

    def __call__(self, described: Mapping[str, float]) -> float:
        """A number in (0, 1).

        Args:
            described: At least the features, by name.
        """
        total = self.intercept
        squares = self.squares or [0.0] * len(self.features)
        for name, centre, scale, weight, square in zip(
            self.features, self.centres, self.scales, self.weights, squares, strict=True
        ):
            value = min(max((described[name] - centre) / scale, -FARTHEST), FARTHEST)
            total += weight * value + square * value**2
        return 0.5 * math.tanh(0.5 * total) + 0.5

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        _check_lengths(self.features, self.centres, self.scales, self.weights)
        if self.squares:
            _check_lengths(self.features, self.squares)
        return self


class QualityModel(Table):
    """How good a mask is expected to be, from what the prediction looks like.

    Attributes:
        jaccard: Estimates the Jaccard index.
        review_below: Masks that are expected to be worse should be looked at.
        values: How well it did on images that it was not fitted on, with 95 % intervals, by name.
    """

    jaccard: LinearModel
    review_below: Share
    values: dict[str, tuple[float, float, float]] = Field(default_factory=dict)


class OutOfDistributionModel(Table):
    """Detects images that a model was not made for.

    Attributes:
        threshold: From which a pixel is lesion, for the features.
        photograph: Estimates whether it is a dermoscopic photograph.
        least_photograph: Where it is less than this, it is none.
        lesion: Estimates whether what was found is a lesion.
        least_lesion: Where it is less than this, there is no lesion.
        values: Share of images that were refused, of those that it was not fitted on, by kind.
    """

    threshold: Share
    photograph: LinearModel
    least_photograph: Annotated[float, Field(gt=0, le=1)]
    lesion: LinearModel
    least_lesion: Annotated[float, Field(gt=0, le=1)]
    values: dict[str, float] = Field(default_factory=dict)


class PresenceEstimate(Table):
    """How likely it is that an image shows a class, and what that estimate is worth.

    Attributes:
        model: Estimates the probability.
        num_images: Images that it was fitted on.
        num_present: Those of them that show the class.
        auc: Area under the ROC curve on images that each fit left out, with its 95 % interval.
        error: Expected calibration error on the same images, in fifths of them.
    """

    model: LinearModel
    num_images: int
    num_present: int
    auc: tuple[float, float, float]
    error: float


class PresenceModel(Table):
    """How likely it is that an image shows each class.

    Attributes:
        on: The images that it was fitted on, and the thresholds of the classes.
        classes: The classes that some of these images show, and some do not.
    """

    on: str
    classes: dict[str, PresenceEstimate]


class Reliability(Table):
    """How often it is lesion where a model says so with some probability.

    Attributes:
        error: Expected calibration error of all pixels.
        error_near_border: The same for pixels near the border of the mask or of the truth.
        pixels: In each bin of probability of the first, the number of pixels.
        probability: Sum of their probabilities.
        lesion: How many are lesion.
    """

    error: float
    error_near_border: float
    pixels: list[float]
    probability: list[float]
    lesion: list[float]

    @model_validator(mode="after")
    def _bins_fit(self) -> Self:
        _check_lengths(self.pixels, self.probability, self.lesion)
        return self


class Calibration(Table):
    """The images a package was calibrated on, and the effect of scaling and threshold.

    Attributes:
        on: The images; the other estimates were fitted on the same.
        num_images: How many they are.
        border_width: In pixels at native size: how near the border is near.
        threshold_on: The images that the threshold was chosen on; empty where it was the same.
        before: With the temperature 1 and no bias, and masks at the threshold that was there.
        after: With the temperature, bias and threshold of the package.
    """

    on: str
    num_images: int
    border_width: float
    threshold_on: str = ""
    before: Reliability
    after: Reliability


def _check_lengths(*columns: Sequence[object]) -> None:
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        message = f"there are {lengths[0]} and {lengths[-1]} numbers, expected as many of each"
        raise ValueError(message)
