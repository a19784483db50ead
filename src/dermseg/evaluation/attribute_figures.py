"""The figures of dermoscopic attributes: how good their masks are, and which images show them.

Large lesions show more structures, so a model that had only learnt to find large lesions would rank
images well. What it says beyond that is the difference to the area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation.figures import protocol_figures
from dermseg.evaluation.image_score import ImageScore, attribute_of, group_of, image_of
from dermseg.evaluation.intervals import Interval, bootstrap_weighted
from dermseg.evaluation.protocols import PROTOCOLS
from dermseg.metrics import area_under_roc, average_precision

__all__ = [
    "ALL_CLASSES",
    "THRESHOLD_FREE",
    "ClassFigures",
    "ClassPresence",
    "ImagePresence",
    "PresenceFigures",
    "class_figures",
    "presence_figures",
]

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
        scores: One or more, all of masks of attributes, see `are_attributes`.
        pixels: Pixels of each mask by truth and probability, see `PixelPool.attributes`.
        groups: As for `protocol_figures`.
        seed: Seed of the bootstrap intervals.
    """
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


@dataclass(frozen=True)
class ImagePresence:
    """The presence scores of one image.

    Attributes:
        id: The image.
        group: What the intervals resample as a whole.
        scores: The model's scores by class, see `dermseg.prediction.presence.presence_score`.
        shown: Whether the image shows a class, where that is known.
        area_share: Share of the image that is lesion; None where nobody knows the lesion.
        area_is_true: Whether the lesion is the true one, or the model's.
    """

    id: str
    group: str
    scores: Mapping[str, float]
    shown: Mapping[str, bool]
    area_share: float | None = None
    area_is_true: bool = False


@dataclass(frozen=True)
class ClassPresence:
    """How well the images that show a class are told from the others.

    Attributes:
        name: The class.
        num_images: Images of which it is known whether they show it.
        num_present: Those that do.
        auc: Area under the ROC curve of the model's scores.
        average_precision: Average precision of them; guesses get the share of images that show it.
        area_auc: AUC of the lesion's area alone; None where an image has no lesion.
        area_means_more: Whether larger lesions show the class more often. If not, ``area_auc`` is
            that of the smallest first, so that it is never below 0.5.
        difference: ``auc`` minus ``area_auc``, the images resampled together.
    """

    name: str
    num_images: int
    num_present: int
    auc: Interval
    average_precision: Interval
    area_auc: Interval | None = None
    area_means_more: bool = True
    difference: Interval | None = None

    @property
    def beats_area(self) -> bool | None:
        """Whether the interval of the difference is above 0; None where there is no area."""
        return None if self.difference is None else self.difference.low > 0


@dataclass(frozen=True)
class PresenceFigures:
    """How well a model tells which images show what.

    Attributes:
        classes: Those for which there are images with and without.
        num_images: Images of which something is known.
        num_true_areas: Images whose area is that of the true lesion.
        num_predicted_areas: Images whose area is that of the lesion that was found.
        undecided: Classes that all images show, or none, as far as is known.
    """

    classes: tuple[ClassPresence, ...]
    num_images: int
    num_true_areas: int
    num_predicted_areas: int
    undecided: tuple[str, ...] = ()

    @property
    def area_from(self) -> str:
        """Describe where the lesions' areas come from."""
        if not self.num_predicted_areas:
            return "the true lesions"
        if not self.num_true_areas:
            return "the lesions that the model found"
        return (
            f"the true lesions of {self.num_true_areas} images, and the lesions that the model "
            f"found in {self.num_predicted_areas}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        classes = {row.name: {**asdict(row), "beats_area": row.beats_area} for row in self.classes}
        for row in classes.values():
            del row["name"]
        return {
            "num_images": self.num_images,
            "num_true_areas": self.num_true_areas,
            "num_predicted_areas": self.num_predicted_areas,
            "undecided": list(self.undecided),
            "classes": classes,
        }


def presence_figures(images: Sequence[ImagePresence], *, seed: int) -> PresenceFigures | None:
    """Compare scores and areas with what the images show, class by class.

    Args:
        images: Those of which nothing is known are left out.
        seed: Seed of the bootstrap intervals, which resample whole groups.

    Returns:
        None if nothing is known of any image.
    """
    known = sorted((image for image in images if image.shown), key=lambda image: image.id)
    if not known:
        return None
    names = dict.fromkeys(name for image in known for name in image.scores)
    rows, undecided = [], []
    for name in names:
        chosen = [image for image in known if name in image.shown]
        if len({image.shown[name] for image in chosen}) == 2:
            rows.append(_of_class(name, chosen, seed))
        elif chosen:
            undecided.append(name)
    areas = [image.area_is_true for image in known if image.area_share is not None]
    return PresenceFigures(
        tuple(rows), len(known), sum(areas), len(areas) - sum(areas), tuple(undecided)
    )


def _of_class(name: str, images: Sequence[ImagePresence], seed: int) -> ClassPresence:
    shown = np.array([image.shown[name] for image in images])
    scores = np.array([image.scores[name] for image in images])
    areas = np.array([np.nan if image.area_share is None else image.area_share for image in images])
    has_areas = not np.isnan(areas).any()
    everyone = np.ones((1, len(images)))
    means_more = not has_areas or float(_auc(areas, shown, everyone)[0]) >= 0.5

    def ranked(times: NDArray[np.float64]) -> NDArray[np.float64]:
        auc = _auc(scores, shown, times)
        figures = [auc, average_precision(*_tables(scores, shown, times))]
        if has_areas:
            area = _auc(areas if means_more else -areas, shown, times)
            figures += [area, auc - area]
        return np.stack(figures)

    auc, precision, *compared = bootstrap_weighted(
        ranked, len(images), seed=seed, groups=[image.group for image in images]
    )
    if auc is None or precision is None:
        raise ValueError(f"{name}: expected images that show it and images that do not")
    area_auc, difference = compared or (None, None)
    return ClassPresence(
        name,
        len(images),
        int(shown.sum()),
        auc,
        precision,
        area_auc,
        means_more,
        difference,
    )


def _auc(
    scores: NDArray[np.float64], shown: NDArray[np.bool_], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    return area_under_roc(*_tables(scores, shown, times))


def _tables(
    scores: NDArray[np.float64], shown: NDArray[np.bool_], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often images with and without were drawn at each score, from the lowest, (R, K) each."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    drawn, is_shown = times[:, order], shown[order]
    positives = np.add.reduceat(drawn * is_shown, starts, axis=1)
    negatives = np.add.reduceat(drawn * ~is_shown, starts, axis=1)
    return positives, negatives
