"""Results by group of images: by what is measured on them, and by what the dataset says."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dermseg.evaluation.image_score import ImageScore, group_of
from dermseg.evaluation.intervals import Interval, bootstrap_interval
from dermseg.evaluation.results import Evaluation

__all__ = ["FEW_IMAGES", "Grouping", "Stratum", "group_results"]

FEW_IMAGES: Final = 10
"""Groups with fewer images are marked: their means say little."""

_SIZES = ((0.02, "under 2 %"), (0.1, "2 to 10 %"), (0.25, "10 to 25 %"), (0.5, "25 to 50 %"))
_CONTRASTS = ((10, "under 10"), (20, "10 to 20"), (30, "20 to 30"), (40, "30 to 40"))
_TONES = (
    (-30, "dark (-30° and below)"),
    (10, "brown (-30° to 10°)"),
    (28, "tan (10° to 28°)"),
    (41, "intermediate (28° to 41°)"),
    (55, "light (41° to 55°)"),
)
_AGES = ((20, "under 20"), (40, "20 to 39"), (60, "40 to 59"), (80, "60 to 79"))
_TITLES = {
    "attribution": "Image source (attribution)",
    "dataset": "Image source (dataset)",
    "localization": "Body site",
    "dx_type": "How the diagnosis was made",
}
_UNKNOWN = "not known"
_MOST_VALUES = 12
_FEWEST_NUMBERS = 7


@dataclass(frozen=True)
class Stratum:
    """The images of a group that have something in common.

    Attributes:
        name: What they have in common.
        num_images: How many they are.
        num_groups: How many lesions, as far as is known; the interval resamples these.
        jaccard: Mean Jaccard index with its interval.
        dice: Mean Dice coefficient with its interval.
    """

    name: str
    num_images: int
    num_groups: int
    jaccard: Interval
    dice: Interval

    @property
    def is_small(self) -> bool:
        """Whether there are too few images to say much."""
        return self.num_images < FEW_IMAGES


@dataclass(frozen=True)
class Grouping:
    """All images, divided.

    Attributes:
        name: By what.
        note: How it is measured, or empty.
        strata: The groups.
    """

    name: str
    note: str
    strata: tuple[Stratum, ...]


def group_results(evaluation: Evaluation) -> tuple[Grouping, ...]:
    """Compute means with 95 % bootstrap intervals by group.

    By lesion size; where images were measured by contrast and skin tone; and by every column of
    the metadata. Numbers are put in bands, and of many values the rare ones are put together. A
    column that does not divide the images, or divides them as another one does, is left out.
    """
    scores = evaluation.scores
    divided: list[tuple[str, str, list[str], list[str]]] = [_by_size(scores)]
    if any(score.statistics is not None for score in scores):
        divided += [_by_contrast(scores), _by_tone(scores), _by_relative_tone(scores)]
    for column, values in _columns(evaluation).items():
        names, order = _divide_column(column, values)
        divided.append((_TITLES.get(column, _in_words(column)), "", names, order))
    return tuple(
        Grouping(name, note, _strata(evaluation, names, order))
        for name, note, names, order in divided
        if len(set(names) - {_UNKNOWN}) > 1
    )


def _by_size(scores: Sequence[ImageScore]) -> tuple[str, str, list[str], list[str]]:
    whole = all(score.statistics is None for score in scores)
    of = "image" if whole else "field of view"
    names, order = _bands(
        [score.lesion_share or math.nan for score in scores],
        _SIZES,
        "50 % and more",
        unknown="no lesion",
    )
    return "Lesion size", f"Share of the {of} that is lesion in the truth.", names, order


def _by_contrast(scores: Sequence[ImageScore]) -> tuple[str, str, list[str], list[str]]:
    names, order = _bands([score.value("contrast") for score in scores], _CONTRASTS, "40 and more")
    note = (
        "Colour distance in CIELAB (CIE76) between the medians of the true lesion and of the skin "
        "around it."
    )
    return "Contrast of lesion and skin", note, names, order


def _by_tone(scores: Sequence[ImageScore]) -> tuple[str, str, list[str], list[str]]:
    values = [score.value("skin_ita") for score in scores]
    names, order = _bands(values, _TONES, "very light (above 55°)", is_inclusive=True)
    note = (
        "Individual typology angle (ITA) of the skin around the lesion, groups of Chardon et al. "
        "(1991) and Del Bino & Bernerd (2013). Photographs that are not calibrated, as most are, "
        "give it only relative to each other: light, flash and camera shift it. It is no statement "
        "about a person."
    )
    return "Skin tone", note, names, order[:-1][::-1] + order[-1:]


def _by_relative_tone(scores: Sequence[ImageScore]) -> tuple[str, str, list[str], list[str]]:
    values = np.array([score.value("skin_ita") for score in scores])
    known = values[~np.isnan(values)]
    if known.size < 3 * FEW_IMAGES:
        return "", "", [_UNKNOWN] * len(scores), [_UNKNOWN]
    low, high = (float(edge) for edge in np.quantile(known, (1 / 3, 2 / 3)))
    bands = ((low, f"darkest third (below {low:.0f}°)"), (high, "middle third"))
    names, order = _bands(values.tolist(), bands, f"lightest third (from {high:.0f}°)")
    note = "The same angle, by thirds of these images: of use where light and camera are alike."
    return "Skin tone, within these images", note, names, order


def _columns(evaluation: Evaluation) -> dict[str, list[str | None]]:
    """The metadata by column; of columns that say the same, the one with the longer words."""
    names = sorted({key for values in evaluation.metadata.values() for key in values})
    columns = {
        name: [evaluation.metadata.get(score.id, {}).get(name) for score in evaluation.scores]
        for name in names
    }
    kept: dict[tuple[int, ...], str] = {}
    for name, values in columns.items():
        first_seen: dict[str | None, int] = {}
        key = tuple(first_seen.setdefault(value, len(first_seen)) for value in values)
        if key not in kept or _length(values) > _length(columns[kept[key]]):
            kept[key] = name
    return {name: columns[name] for name in names if name in kept.values()}


def _divide_column(column: str, values: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """The group of each value, and the groups in order."""
    numbers = _as_numbers(values)
    if numbers is not None and column == "age":
        return _bands(numbers, _AGES, "80 and over")
    if numbers is not None:
        known = [number for number in numbers if not math.isnan(number)]
        edges = [float(edge) for edge in dict.fromkeys(np.quantile(known, (0.25, 0.5, 0.75)))]
        names = [f"under {edges[0]:g}"]
        names += [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
        return _bands(numbers, tuple(zip(edges, names, strict=True)), f"{edges[-1]:g} and over")
    counts = Counter(value for value in values if value is not None)
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    if len(ordered) > _MOST_VALUES:
        rare = ordered[_MOST_VALUES - 1 :]
        together = f"{len(rare)} other values"
        order = [*ordered[: _MOST_VALUES - 1], together]
    else:
        rare, together, order = [], "", ordered
    names = [
        _UNKNOWN if value is None else together if value in set(rare) else value for value in values
    ]
    return names, [*order, _UNKNOWN]


def _bands(
    values: Sequence[float],
    bands: Sequence[tuple[float, str]],
    last: str,
    *,
    unknown: str = _UNKNOWN,
    is_inclusive: bool = False,
) -> tuple[list[str], list[str]]:
    """The band of each value: below an edge, or up to it if inclusive; and all bands in order."""
    edges = np.array([edge for edge, _ in bands])
    names = [*(name for _, name in bands), last]
    places = np.searchsorted(edges, values, side="left" if is_inclusive else "right")
    found = [
        unknown if math.isnan(value) else names[place]
        for value, place in zip(values, places, strict=True)
    ]
    return found, [*names, unknown]


def _strata(
    evaluation: Evaluation, names: Sequence[str], order: Sequence[str]
) -> tuple[Stratum, ...]:
    members: dict[str, list[ImageScore]] = {}
    for score, name in zip(evaluation.scores, names, strict=True):
        members.setdefault(name, []).append(score)
    return tuple(_stratum(evaluation, name, members[name]) for name in order if name in members)


def _stratum(evaluation: Evaluation, name: str, scores: Sequence[ImageScore]) -> Stratum:
    groups = [group_of(score.id, evaluation.groups) for score in scores]

    def mean(value: Callable[[ImageScore], float]) -> Interval:
        values = [value(score) for score in scores]
        return bootstrap_interval(values, groups=groups, seed=evaluation.seed)

    return Stratum(
        name,
        len(scores),
        len(set(groups)),
        jaccard=mean(lambda score: score.jaccard),
        dice=mean(lambda score: score.dice),
    )


def _as_numbers(values: Sequence[str | None]) -> list[float] | None:
    """The values as numbers, NaN where nothing is known; None if they are words or few."""
    try:
        numbers = [math.nan if value is None else float(value) for value in values]
    except ValueError:
        return None
    known = {number for number in numbers if math.isfinite(number)}
    return numbers if len(known) >= _FEWEST_NUMBERS else None


def _length(values: Sequence[str | None]) -> int:
    return sum(len(value) for value in values if value is not None)


def _in_words(column: str) -> str:
    text = column.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
