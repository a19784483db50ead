"""Losses by name, and their weighted sum. Needs the extra ``train``."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

# First of all, so that the losses' library finds a torchvision that can be imported.
from dermseg import torchvision_import as _torchvision_import
from dermseg.errors import RecipeError
from dermseg.losses.base import (
    IGNORED,
    SOMEWHERE,
    UNKNOWN,
    SegmentationLoss,
    class_labels,
    class_probabilities,
    known_pixels,
)
from dermseg.losses.overlap import DiceLoss, JaccardLoss, LovaszLoss, TverskyLoss
from dermseg.losses.pixels import BCELoss, CrossEntropyLoss, FocalLoss
from dermseg.losses.presence import PresenceLoss
from dermseg.losses.weighted_sum import WeightedSumLoss
from dermseg.recipes import INVERSE_FREQUENCY, Activation, LossTerm

__all__ = [
    "IGNORED",
    "LOSSES",
    "SOMEWHERE",
    "UNKNOWN",
    "BCELoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "FocalLoss",
    "JaccardLoss",
    "LovaszLoss",
    "PresenceLoss",
    "SegmentationLoss",
    "TverskyLoss",
    "WeightedSumLoss",
    "class_labels",
    "class_probabilities",
    "create_loss",
    "known_pixels",
]

del _torchvision_import

LOSSES: dict[str, type[SegmentationLoss]] = {
    "bce": BCELoss,
    "cross_entropy": CrossEntropyLoss,
    "dice": DiceLoss,
    "focal": FocalLoss,
    "jaccard": JaccardLoss,
    "lovasz": LovaszLoss,
    "presence": PresenceLoss,
    "tversky": TverskyLoss,
}


def create_loss(
    terms: Sequence[LossTerm],
    *,
    activation: Activation = "sigmoid",
    num_classes: int = 1,
    fitted_weights: Sequence[float] | None = None,
) -> WeightedSumLoss:
    """Build the weighted sum that a recipe names.

    Args:
        terms: The recipe's losses.
        activation: The recipe's activation.
        num_classes: The recipe's classes, without a background.
        fitted_weights: What the class weights ``inverse_frequency`` stand for.

    Raises:
        RecipeError: If a name or a parameter is unknown, a value does not fit, or a loss is not
            for this activation.
    """
    return WeightedSumLoss(
        [
            (_create_term(term, activation, num_classes, fitted_weights), term.weight)
            for term in terms
        ]
    )


def _create_term(
    term: LossTerm, activation: Activation, num_classes: int, fitted_weights: Sequence[float] | None
) -> SegmentationLoss:
    if term.name not in LOSSES:
        message = f"unknown loss '{term.name}': expected one of {', '.join(sorted(LOSSES))}"
        raise RecipeError(message)
    kind = LOSSES[term.name]
    known = [name for name in inspect.signature(kind).parameters if name != "activation"]
    for name in term.parameters:
        if name not in known:
            message = (
                f"loss '{term.name}' has no parameter '{name}': "
                f"expected {' or '.join(known) if known else 'none at all'}"
            )
            raise RecipeError(message)
    try:
        parameters = _fill_in(term.parameters, num_classes + 1, fitted_weights)
        return kind(activation, **parameters)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"loss '{term.name}': {error}") from error


def _fill_in(
    parameters: dict[str, Any], num_weights: int, fitted_weights: Sequence[float] | None
) -> dict[str, Any]:
    """The parameters with numbers for class weights.

    Raises:
        ValueError: If the class weights are no number above 0 for background and each class.
    """
    weights = parameters.get("class_weights")
    if weights is None:
        return parameters
    if weights == INVERSE_FREQUENCY:
        if fitted_weights is None:
            message = f"class_weights '{INVERSE_FREQUENCY}' were not fitted on training masks"
            raise ValueError(message)
        weights = fitted_weights
    elif not isinstance(weights, list) or len(weights) != num_weights or not min(weights) > 0:
        message = (
            f"class_weights is {weights!r}, expected '{INVERSE_FREQUENCY}' or {num_weights} "
            "numbers above 0, the background's first"
        )
        raise ValueError(message)
    return parameters | {"class_weights": weights}
