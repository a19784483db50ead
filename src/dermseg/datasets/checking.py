"""Looking through the files of a dataset for what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.base import Dataset
from dermseg.errors import ImageError
from dermseg.images import read_image, read_mask_values
from dermseg.types import Sample

__all__ = ["CheckReport", "Problem", "check_dataset"]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file.

    Attributes:
        path: The file.
        kind: ``orphan``, ``table``, ``torn group``, ``unreadable``, ``size mismatch``,
            ``non-binary mask``, ``empty mask`` or ``full mask``.
        detail: What was found, in words.
    """

    path: Path
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}: {self.detail}"


@dataclass(frozen=True)
class CheckReport:
    """What a dataset holds, and what is wrong with it.

    Attributes:
        dataset: Its name in ``DATASETS``.
        num_samples: Images that can be used by name, paired where there is truth.
        num_masks: Those of them with a mask.
        num_groups: Groups that a split keeps together.
        parts: Samples per official part; empty where there are none.
        problems: Sorted by path.
    """

    dataset: str
    num_samples: int
    num_masks: int
    num_groups: int
    parts: dict[str, int]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain values for ``json.dumps``."""
        problems = [
            {"path": str(problem.path), "kind": problem.kind, "detail": problem.detail}
            for problem in self.problems
        ]
        return {**vars(self), "problems": problems}


def check_dataset(
    dataset: Dataset, *, on_progress: Callable[[], None] = lambda: None
) -> CheckReport:
    """Read every image and mask of a dataset, and name what is wrong.

    Args:
        dataset: As opened.
        on_progress: Called after each sample.
    """
    problems = [Problem(orphan.path, "orphan", orphan.problem) for orphan in dataset.orphans]
    problems += [Problem(table.path, "table", table.problem) for table in dataset.table_problems]
    problems += _torn_groups(dataset.samples)
    for sample in dataset.samples:
        problems += _check_sample(sample)
        on_progress()
    return CheckReport(
        dataset=dataset.name,
        num_samples=len(dataset.samples),
        num_masks=sum(sample.mask is not None for sample in dataset.samples),
        num_groups=len({sample.group for sample in dataset.samples}),
        parts=dict(Counter(sample.part for sample in dataset.samples if sample.part is not None)),
        problems=tuple(sorted(problems, key=lambda problem: (problem.path, problem.kind))),
    )


def _torn_groups(samples: Iterable[Sample]) -> list[Problem]:
    parts: dict[str, dict[str | None, Sample]] = {}
    for sample in samples:
        parts.setdefault(sample.group, {}).setdefault(sample.part, sample)
    return [
        Problem(
            next(iter(found.values())).image,
            "torn group",
            f"'{group}' is in the parts {' and '.join(str(part) for part in found)}",
        )
        for group, found in parts.items()
        if len(found) > 1
    ]


def _check_sample(sample: Sample) -> list[Problem]:
    problems = []
    size = None
    try:
        size = read_image(sample.image).shape[:2]
    except ImageError as error:
        problems.append(Problem(sample.image, "unreadable", error.reason))
    if sample.mask is None:
        return problems
    try:
        values = read_mask_values(sample.mask)
    except ImageError as error:
        return [*problems, Problem(sample.mask, "unreadable", error.reason)]
    if size is not None and values.shape != size:
        detail = "mask of {1}x{0} for an image of {3}x{2} (width x height)"
        problems.append(Problem(sample.mask, "size mismatch", detail.format(*values.shape, *size)))
    return problems + _check_values(sample.mask, values)


def _check_values(path: Path, values: NDArray[np.uint8]) -> list[Problem]:
    found = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    # A map of labels 0 and 1 is as binary as 0 and 255: reading a mask takes both.
    top = 1 if found[-1] == 1 else 255
    if not set(found.tolist()) <= {0, top}:
        detail = f"{len(found)} grey values between {found[0]} and {found[-1]}; read as above 128"
        return [Problem(path, "non-binary mask", detail)]
    if len(found) > 1:
        return []
    if found[0] == 0:
        return [Problem(path, "empty mask", "no pixel is lesion")]
    return [Problem(path, "full mask", "every pixel is lesion")]
