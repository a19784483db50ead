"""What a package knows of its own doubts: plain numbers, fitted where the truth was known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Self

import numpy as np
from pydantic import Field, model_validator

from dermseg.recipes.tables import Share, Table

__all__ = ["Calibration", "LinearModel", "QualityModel", "Reliability", "ScopeModel", "Typicality"]

# What lies further out than in nearly all images is taken to lie here.
_FARTHEST: Final = 4.0


class _Standardized(Table):
    """Features with the centre and the scale of each.

    Attributes:
        features: Their names.
        centres: What is subtracted from each.
        scales: What each is divided by.
    """

    features: list[str] = Field(min_length=1)
    centres: list[float]
    scales: list[float]

    def standardize(self, described: Mapping[str, float]) -> list[float]:
        """The features of one image, (features,), each within 4 scales of its centre.

        Raises:
            KeyError: If one is not described.
        """
        values = (described[name] for name in self.features)
        return [
            min(max((value - centre) / scale, -_FARTHEST), _FARTHEST)
            for value, centre, scale in zip(values, self.centres, self.scales, strict=True)
        ]

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        _check_lengths(self.features, self.centres, self.scales)
        if not all(scale > 0 for scale in self.scales):
            message = "a scale is 0 or less, expected numbers above 0"
            raise ValueError(message)
        return self


class LinearModel(_Standardized):
    """The logistic function of a weighted sum of features.

    Attributes:
        weights: Of each feature.
        intercept: The sum where every feature is at its centre.

    Example:
        >>> model = LinearModel(
        ...     features=["contrast"], centres=[2.0], scales=[1.0], weights=[1.0], intercept=0.0
        ... )
        >>> model({"contrast": 2.0})
        0.5
    """

    weights: list[float]
    intercept: float

    def __call__(self, described: Mapping[str, float]) -> float:
        """A number in (0, 1)."""
        terms = zip(self.weights, self.standardize(described), strict=True)
        total = self.intercept + sum(weight * value for weight, value in terms)
        return 0.5 * math.tanh(0.5 * total) + 0.5

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        _check_lengths(self.features, self.weights)
        return self


class Typicality(_Standardized):
    """How far an image is from those that a model was trained on.

    Attributes:
        precision: Inverse of the covariance of the standardised features, (features, features).
    """

    precision: list[list[float]]

    def __call__(self, described: Mapping[str, float]) -> float:
        """Mahalanobis distance per root of a feature: about 1 for a usual image."""
        values = np.array(self.standardize(described))
        square = values @ np.array(self.precision) @ values
        return math.sqrt(max(float(square), 0.0) / len(values))

    @model_validator(mode="after")
    def _precision_fits(self) -> Self:
        _check_lengths(self.features, self.precision, *self.precision)
        return self


class QualityModel(Table):
    """How good a mask is expected to be, from what the prediction looks like.

    Attributes:
        jaccard: Estimates the Jaccard index.
        review_below: Masks that are expected to be worse should be looked at.
        on: What it was fitted on.
        num_images: How many images these are.
        values: How well it did on images that it was not fitted on, with 95 % intervals, by name.
    """

    jaccard: LinearModel
    review_below: Share
    on: str
    num_images: int
    values: dict[str, tuple[float, float, float]] = Field(default_factory=dict)


class ScopeModel(Table):
    """Which images a model was not made for.

    Attributes:
        typicality: Of colours and textures.
        farthest: Images further away are no dermoscopic photographs.
        lesion: Estimates whether what was found is a lesion.
        least_lesion: Where it is less than this, there is no lesion.
        on: What it was fitted on.
        num_images: How many photographs these are.
        values: Share of images that were refused, of those that it was not fitted on, by kind.
    """

    typicality: Typicality
    farthest: float = Field(gt=0)
    lesion: LinearModel
    least_lesion: Share
    on: str
    num_images: int
    values: dict[str, float] = Field(default_factory=dict)


class Reliability(Table):
    """How often it is lesion where a model says so with some probability.

    Attributes:
        error: Expected calibration error of all pixels.
        error_near_border: Of those near the border of the mask or of the truth.
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
    """What temperature and threshold were fitted on, and what that changed.

    Attributes:
        on: The images.
        num_images: How many they are.
        border_width: In pixels at native size: how near the border is near.
        before: With the temperature 1.
        after: With the package's.
    """

    on: str
    num_images: int
    border_width: float
    before: Reliability
    after: Reliability


def _check_lengths(*columns: Sequence[object]) -> None:
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        message = f"there are {lengths[0]} and {lengths[-1]} numbers, expected as many of each"
        raise ValueError(message)
