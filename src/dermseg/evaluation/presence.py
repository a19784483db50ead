"""Which images show a class: how well a model ranks them, beside the lesion's area alone.

Large lesions show more structures, so a model that had only learnt to find large lesions would rank
images well. What it says beyond that is the difference to the area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dermseg.evaluation.intervals import Interval, bootstrap_weighted
from dermseg.metrics import area_under_roc, average_precision

__all__ = ["ClassPresence", "ImagePresence", "PresenceFigures", "presence_figures"]


@dataclass(frozen=True)
class ImagePresence:
    """What is said of one image.

    Attributes:
        id: The image.
        group: What the intervals resample as a whole.
        scores: Of the model, by class, see `dermseg.prediction.presence.presence_score`.
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
        auc: Of the model's scores.
        average_precision: Of the model's scores; guesses get the share of images that show it.
        area_auc: Of the lesion's area alone; None where an image has no lesion.
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
        """Whose lesions the areas are of, in words."""
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
        seed: Of the intervals, which resample whole groups.

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
