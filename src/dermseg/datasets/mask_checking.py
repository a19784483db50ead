"""Checks of a single mask file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.superpixels import (
    Labels,
    count_superpixels,
    read_features,
    read_superpixels,
)
from dermseg.errors import ImageError
from dermseg.images import foreground, read_mask_values
from dermseg.types import FloatArray, Size, SuperpixelFeature

__all__ = ["Finding", "Problem", "check_mask", "check_superpixel_features"]


@dataclass(frozen=True)
class Problem:
    """A defect of one file.

    Attributes:
        path: The file.
        kind: ``orphan``, ``gap``, ``table``, ``torn group``, ``unreadable``, ``size mismatch``,
            ``feature mismatch``, ``non-binary mask``, ``empty mask`` or ``full mask``.
        detail: What was found, in words.
    """

    path: Path
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}: {self.detail}"


@dataclass(frozen=True)
class Finding:
    """The contents of a mask.

    Attributes:
        problems: What is wrong with it.
        is_present: Whether there is foreground; None if it cannot be said.
    """

    problems: tuple[Problem, ...]
    is_present: bool | None


def check_mask(path: Path, size: Size | None, *, name: str, may_be_empty: bool) -> Finding:
    """Read a mask file and name what is wrong with it.

    Args:
        path: The file.
        size: (height, width) of the image; None if that cannot be read.
        name: What is marked, for example ``lesion``.
        may_be_empty: Whether a mask without foreground is as good as any.
    """
    try:
        values = read_mask_values(path)
    except ImageError as error:
        return Finding((Problem(path, "unreadable", error.reason),), None)
    problems = _check_size(path, "mask", values.shape, size)
    problems += _check_values(path, values, name=name, may_be_empty=may_be_empty)
    return Finding(tuple(problems), bool(foreground(values).any()))


def check_superpixel_features(
    features: list[SuperpixelFeature], size: Size | None
) -> dict[str, Finding]:
    """Read the map and the flags of an image's features, and name what is wrong with them.

    Args:
        features: Those that the image should have, of one map and one file.
        size: (height, width) of the image; None if that cannot be read.

    Returns:
        By feature. What is wrong with a file as a whole stands at the first feature.
    """
    problems: dict[str, list[Problem]] = defaultdict(list)
    first = features[0]
    labels: Labels | None = None
    flags: dict[str, FloatArray] = {}
    try:
        labels = read_superpixels(first.superpixels)
        problems[first.name] += _check_size(first.superpixels, "map", labels.shape, size)
    except ImageError as error:
        problems[first.name].append(Problem(first.superpixels, "unreadable", error.reason))
    try:
        flags = read_features(first.features)
        problems[first.name] += _compare(first, labels, flags, {one.name for one in features})
    except ImageError as error:
        problems[first.name].append(Problem(first.features, "unreadable", error.reason))
    for name, values in flags.items():
        if not np.isin(values, (0, 1)).all():
            detail = f"{name} has scores other than 0 and 1; read as above 0.5"
            problems[name].append(Problem(first.features, "non-binary mask", detail))
    is_usable = labels is not None and _fits(labels, flags)
    return {
        one.name: Finding(
            tuple(problems[one.name]),
            bool((flags[one.name] > 0.5).any()) if is_usable and one.name in flags else None,
        )
        for one in features
    }


def _fits(labels: Labels, flags: dict[str, FloatArray]) -> bool:
    return all(len(values) == count_superpixels(labels) for values in flags.values())


def _compare(
    feature: SuperpixelFeature,
    labels: Labels | None,
    flags: dict[str, FloatArray],
    expected: set[str],
) -> list[Problem]:
    problems = []
    if labels is not None and not _fits(labels, flags):
        num = len(next(iter(flags.values())))
        detail = (
            f"{num} values for each feature, but {count_superpixels(labels)} superpixels in "
            f"{feature.superpixels.name}"
        )
        problems.append(Problem(feature.features, "feature mismatch", detail))
    for what, names in (("lacks", expected - flags.keys()), ("adds", flags.keys() - expected)):
        if names:
            detail = f"it {what} the features {', '.join(sorted(names))}"
            problems.append(Problem(feature.features, "feature mismatch", detail))
    return problems


def _check_size(path: Path, kind: str, found: tuple[int, ...], size: Size | None) -> list[Problem]:
    if size is None or found == size:
        return []
    detail = "{4} of {1}x{0} for an image of {3}x{2} (width x height)"
    return [Problem(path, "size mismatch", detail.format(*found, *size, kind))]


def _check_values(
    path: Path, values: NDArray[np.uint8], *, name: str, may_be_empty: bool
) -> list[Problem]:
    found = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    # A map of labels 0 and 1 is as binary as 0 and 255: reading a mask takes both.
    top = 1 if found[-1] == 1 else 255
    if not set(found.tolist()) <= {0, top}:
        detail = f"{len(found)} grey values between {found[0]} and {found[-1]}; read as above 128"
        return [Problem(path, "non-binary mask", detail)]
    if len(found) > 1 or (found[0] == 0 and may_be_empty):
        return []
    if found[0] == 0:
        return [Problem(path, "empty mask", f"no pixel is {name}")]
    return [Problem(path, "full mask", f"every pixel is {name}")]
