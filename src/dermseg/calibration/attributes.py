"""Fit what a package says of attributes: their thresholds, and how likely an image shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dermseg.calibration.held_out import HeldOut
from dermseg.calibration.logistic import FEWEST_GROUPS, estimate_left_out, fit_linear
from dermseg.calibration.thresholds import fit_thresholds
from dermseg.evaluation.attribute_figures import ImagePresence, presence_figures
from dermseg.metrics import RocCounts
from dermseg.package import PresenceEstimate, PresenceModel

__all__ = ["fit_attributes"]

_PENALTY: Final = 3.0
_BINS: Final = 5


@dataclass
class _Described:
    """What is known of one class, image by image."""

    pixels: RocCounts = field(default_factory=RocCounts)
    features: list[dict[str, float]] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def fit_attributes(held_out: HeldOut) -> dict[str, Any]:
    """Fit the threshold of each attribute, and the probability that an image shows it.

    The thresholds have the highest Jaccard index of all attributes together, over all pixels,
    each image counting the same (the protocol ``isic2018_task2``).

    Args:
        held_out: Images with masks of attributes, and what models say that did not see them.

    Returns:
        The fields of ``ModelSpec`` that change.

    Raises:
        ImageError: If an image or a mask cannot be read.
    """
    spec = held_out.package.spec
    found = {name: _Described() for name in spec.classes}
    for sample, prediction, truths in held_out.predict_classes():
        features = prediction.presence_features
        for name, truth in truths.items():
            known = found[name]
            known.pixels.add(prediction.probabilities[name], truth, weight=1 / truth.size)
            known.features.append(features[name])
            known.shown.append(bool(truth.any()))
            known.ids.append(sample.id)
            known.groups.append(sample.group)
    origin = spec.provenance
    # The kernels that training fitted go with the thresholds of that time.
    options = origin.untuned_postprocessing or spec.postprocessing
    options = options.model_copy(update={"thresholds": {}})
    pixels = {name: known.pixels for name, known in found.items()}
    estimates = {name: _estimate(name, known) for name, known in found.items()}
    return {
        "postprocessing": fit_thresholds(options, spec.classes, pixels),
        "provenance": origin.model_copy(update={"untuned_postprocessing": None}),
        "presence": PresenceModel(
            on=held_out.on,
            classes={name: model for name, model in estimates.items() if model is not None},
        ),
    }


def _estimate(name: str, known: _Described) -> PresenceEstimate | None:
    """The estimate of one class; None where all images show it, none does, or they are few."""
    if len(set(known.shown)) < 2 or len(set(known.groups)) < FEWEST_GROUPS:
        return None
    shown = np.array(known.shown, np.float64)
    expected = estimate_left_out(known.features, shown, known.groups, penalty=_PENALTY)
    figures = presence_figures(
        [
            ImagePresence(id, group, {name: value}, {name: is_shown})
            for id, group, value, is_shown in zip(
                known.ids, known.groups, expected.tolist(), known.shown, strict=True
            )
        ],
        seed=0,
    )
    if figures is None or not figures.classes:
        return None
    return PresenceEstimate(
        model=fit_linear(known.features, shown, penalty=_PENALTY),
        num_images=len(shown),
        num_present=sum(known.shown),
        auc=astuple(figures.classes[0].auc),
        error=round(_calibration_error(expected, shown), 4),
    )


def _calibration_error(expected: NDArray[np.float64], shown: NDArray[np.float64]) -> float:
    """Mean difference of the probability and of the share that shows the class, in fifths."""
    order = np.argsort(expected, kind="stable")
    parts: Sequence[NDArray[np.int64]] = np.array_split(order, _BINS)
    gaps = [
        len(part) * abs(expected[part].mean() - shown[part].mean()) for part in parts if len(part)
    ]
    return float(sum(gaps) / len(shown))
