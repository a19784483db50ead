"""Evaluations brought to the same images, and refused where they cannot be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation.comparison.reading import StoredEvaluation

__all__ = ["Aligned", "align"]


@dataclass(frozen=True)
class Aligned:
    """Evaluations of the same images, in the same order.

    Attributes:
        evaluations: Two or more, with names of their own.
        ids: The images, sorted.
        groups: The group of each image for resampling, or None where no evaluation has groups.
        left_out: For each evaluation, the images that it scored and another did not, sorted.
    """

    evaluations: tuple[StoredEvaluation, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...] | None
    left_out: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the evaluations."""
        return tuple(evaluation.name for evaluation in self.evaluations)


def align(evaluations: Sequence[StoredEvaluation], *, common: bool = False) -> Aligned:
    """Bring evaluations to the same images.

    Args:
        evaluations: Two or more. Those of one name are told apart by their folders.
        common: Leave out the images that not all of them scored, instead of refusing.

    Raises:
        UsageError: If there are fewer than two, one is given twice, or they scored other images
            and ``common`` is not set.
        DatasetError: If they have no image in common, or an image has another size, another
            truth or another group in one of them.
    """
    if len(evaluations) < 2:
        raise UsageError(f"{len(evaluations)} evaluation was given; give two or more folders")
    _check_folders(evaluations)
    named = _with_own_names(evaluations)
    shared = set(named[0].ids).intersection(*(evaluation.ids for evaluation in named[1:]))
    if not common:
        _check_coverage(named)
    if not shared:
        raise DatasetError(
            "the evaluations have no image in common; for example "
            + ", ".join(f"{evaluation.name}: {evaluation.ids[0]}" for evaluation in named)
        )
    ids = tuple(sorted(shared))
    selected = tuple(evaluation.select(ids) for evaluation in named)
    _check_truths(selected)
    return Aligned(
        selected,
        ids,
        _common_groups(selected),
        tuple(tuple(sorted(set(evaluation.ids) - shared)) for evaluation in named),
    )


def _check_folders(evaluations: Sequence[StoredEvaluation]) -> None:
    counts = Counter(evaluation.folder.resolve() for evaluation in evaluations)
    for folder, number in counts.items():
        if number > 1:
            raise UsageError(f"{folder}: this folder was given {number} times; give it once")


def _with_own_names(evaluations: Sequence[StoredEvaluation]) -> list[StoredEvaluation]:
    """Add the folder's name where names are equal, and its path where that does not help."""
    names = [evaluation.name for evaluation in evaluations]
    for what in ("name", "path"):
        taken = Counter(names)
        for position, evaluation in enumerate(evaluations):
            if taken[names[position]] > 1:
                folder = evaluation.folder
                place = folder.resolve().name if what == "name" else str(folder.resolve())
                names[position] = f"{evaluation.name} ({place})"
    return [
        replace(evaluation, name=name) for evaluation, name in zip(evaluations, names, strict=True)
    ]


def _check_coverage(evaluations: Sequence[StoredEvaluation]) -> None:
    every = set().union(*(evaluation.ids for evaluation in evaluations))
    lacking = []
    for evaluation in evaluations:
        missing = sorted(every - set(evaluation.ids))
        if missing:
            lacking.append(f"{evaluation.name} lacks {len(missing)} ({list_some(missing)})")
    if lacking:
        shared = set(evaluations[0].ids).intersection(
            *(evaluation.ids for evaluation in evaluations[1:])
        )
        raise UsageError(
            f"the evaluations are not of the same images: {'; '.join(lacking)}. Evaluate all "
            f"models on the same images, or compare the {len(shared)} that all scored with "
            "--common"
        )


def _check_truths(evaluations: Sequence[StoredEvaluation]) -> None:
    """The true lesion has as many pixels in every evaluation, and so has the image."""
    first = evaluations[0]
    for other in evaluations[1:]:
        for what, ours, theirs in (
            ("sizes", first.counts.sum(axis=1), other.counts.sum(axis=1)),
            ("true masks", _lesion(first), _lesion(other)),
        ):
            differing = np.flatnonzero(ours != theirs)
            if differing.size:
                named = [
                    f"{first.ids[row]} ({ours[row]} and {theirs[row]} pixels)" for row in differing
                ]
                raise DatasetError(
                    f"{first.name} and {other.name} were evaluated against other truth: the {what} "
                    f"of {differing.size} of {len(first.ids)} images differ, {list_some(named)}. "
                    "Evaluate both against the same true masks"
                )


def _lesion(evaluation: StoredEvaluation) -> np.ndarray:
    tp, _, fn, _ = evaluation.counts.T
    return np.asarray(tp + fn)


def _common_groups(evaluations: Sequence[StoredEvaluation]) -> tuple[str, ...] | None:
    grouped = [evaluation for evaluation in evaluations if evaluation.groups is not None]
    if not grouped:
        return None
    first = grouped[0]
    for other in grouped[1:]:
        differing = [
            f"{id} ({ours} and {theirs})"
            for id, ours, theirs in zip(
                first.ids, first.groups or (), other.groups or (), strict=True
            )
            if ours != theirs
        ]
        if differing:
            raise DatasetError(
                f"{first.name} and {other.name} have other groups: {list_some(differing)}. "
                "Evaluate both with the same dataset"
            )
    return first.groups
