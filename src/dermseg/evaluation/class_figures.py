"""The figures of each attribute, and of all attributes together, over a set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation.figures import applies, protocol_figures
from dermseg.evaluation.image_score import ImageScore, attribute_of, group_of, image_of
from dermseg.evaluation.intervals import Interval, bootstrap_weighted
from dermseg.evaluation.protocols import PROTOCOLS
from dermseg.metrics import area_under_roc, average_precision

__all__ = ["ALL_CLASSES", "THRESHOLD_FREE", "ClassFigures", "class_figures"]

ALL_CLASSES: Final = "all"
"""The name of the figures over all classes together."""

THRESHOLD_FREE: Final = ("pixel_auc", "pixel_average_precision")
"""Figures of the probabilities; the others are of masks, and so of the thresholds."""

_OVERLAP = PROTOCOLS["isic2018_task2"]


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class.

    Attributes:
        name: The class, or ``all``.
        num_images: Images of which the class is known; for ``all``, of which any is.
        num_present: Those of them that show it: whose true mask is not empty.
        figures: ``jaccard`` and ``dice`` as under the protocol ``isic2018_task2``: each image's
            counts are divided by its number of pixels and added up. With probabilities also
            ``pixel_auc`` and ``pixel_average_precision`` over the pixels of all images. What is
            undefined, because no image shows the class, is left out. Intervals resample images.
    """

    name: str
    num_images: int
    num_present: int
    figures: Mapping[str, Interval]


def class_figures(
    scores: Sequence[ImageScore],
    pixels: Mapping[str, NDArray[np.uint32]],
    *,
    groups: Mapping[str, str],
    seed: int,
) -> tuple[ClassFigures, ...]:
    """Compute the figures of all classes together, then of each, by name.

    A class that is not known of an image has no score there, and counts neither for nor against.

    Args:
        scores: Of masks of attributes, see `attribute_of`; of others nothing is computed.
        pixels: Pixels of each mask by truth and probability, see `PixelPool.attributes`.
        groups: As for `protocol_figures`.
        seed: Of the intervals.
    """
    if not applies(_OVERLAP, scores):
        return ()
    overlap = protocol_figures(_OVERLAP, scores, groups=groups, seed=seed).figures
    of_class: dict[str, list[ImageScore]] = {ALL_CLASSES: list(scores)}
    for score in scores:
        of_class.setdefault(str(attribute_of(score.id)), []).append(score)
    result = []
    for name in [ALL_CLASSES, *sorted(of_class.keys() - {ALL_CLASSES})]:
        ending = "" if name == ALL_CLASSES else f"_{name}"
        figures = {score: overlap[f"pooled_{score}{ending}"] for score in _OVERLAP.scores}
        figures |= _of_pixels(of_class[name], pixels, groups, seed)
        present = {image_of(score.id) for score in of_class[name] if _is_present(score)}
        images = {image_of(score.id) for score in of_class[name]}
        result.append(ClassFigures(name, len(images), len(present), figures))
    return tuple(result)


def _is_present(score: ImageScore) -> bool:
    return score.counts.tp + score.counts.fn > 0


def _of_pixels(
    scores: Sequence[ImageScore],
    pixels: Mapping[str, NDArray[np.uint32]],
    groups: Mapping[str, str],
    seed: int,
) -> dict[str, Interval]:
    """Area under the curve and average precision; nothing where a mask has no probabilities."""
    if not all(score.id in pixels for score in scores):
        return {}
    ids = [score.id for score in scores]
    images, index = np.unique([image_of(id) for id in ids], return_inverse=True)
    tables = np.zeros((len(images), 2, 256))
    np.add.at(tables, index, np.stack([pixels[id] for id in ids]))
    negatives, positives = tables[:, 0], tables[:, 1]

    def ranked(times: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = times @ positives, times @ negatives
        return np.stack([area_under_roc(*drawn), average_precision(*drawn)])

    names = [group_of(str(image), groups) for image in images]
    found = bootstrap_weighted(ranked, len(images), seed=seed, groups=names)
    return {
        name: interval
        for name, interval in zip(THRESHOLD_FREE, found, strict=True)
        if interval is not None
    }
