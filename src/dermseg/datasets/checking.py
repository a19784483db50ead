"""Looking through the files of a dataset for what is wrong with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dermseg.datasets.base import Dataset
from dermseg.datasets.class_masks import LESION
from dermseg.datasets.mask_checking import (
    Finding,
    Problem,
    check_mask,
    check_superpixel_features,
)
from dermseg.datasets.unknown import Unknown, find_unknown
from dermseg.errors import ImageError
from dermseg.images import read_image
from dermseg.types import Sample, Size, SuperpixelFeature

__all__ = ["AttributeCount", "CheckReport", "Problem", "check_dataset"]


@dataclass(frozen=True)
class AttributeCount:
    """How often an attribute is marked.

    Attributes:
        num_known: Images of which it is known whether they have it.
        num_present: Those of them that have it: whose mask is not empty.
        unknown: The images without a mask of it; None where there are none.
    """

    num_known: int
    num_present: int
    unknown: Unknown | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the counts as plain values, and an image without mask as an example."""
        counts: dict[str, Any] = {"num_known": self.num_known, "num_present": self.num_present}
        if self.unknown is not None:
            counts |= {"num_unknown": self.unknown.num_images, "example": str(self.unknown.example)}
        return counts


@dataclass(frozen=True)
class CheckReport:
    """The contents of a dataset and its defects.

    Attributes:
        dataset: Its name in ``DATASETS``.
        num_samples: Images that can be used by name, paired where there is truth.
        num_masks: Those of them with a lesion mask.
        num_groups: Groups that a split keeps together.
        parts: Samples per official part; empty where there are none.
        attributes: How often each attribute is marked; empty where none is.
        problems: Sorted by path.
    """

    dataset: str
    num_samples: int
    num_masks: int
    num_groups: int
    parts: dict[str, int]
    attributes: dict[str, AttributeCount]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain values for ``json.dumps``."""
        problems = [
            {"path": str(problem.path), "kind": problem.kind, "detail": problem.detail}
            for problem in self.problems
        ]
        attributes = {name: count.as_json() for name, count in self.attributes.items()}
        return {**vars(self), "attributes": attributes, "problems": problems}


def check_dataset(
    dataset: Dataset, *, on_progress: Callable[[], None] = lambda: None
) -> CheckReport:
    """Read every image and mask of a dataset, and name what is wrong.

    A mask of an attribute that is missing is no defect where other images have one: it is not
    known of that image, and counted as such.

    Args:
        dataset: As opened.
        on_progress: Called after each sample.
    """
    problems = [Problem(orphan.path, "orphan", orphan.problem) for orphan in dataset.orphans]
    problems += [
        Problem(gap.path, "gap", gap.problem) for gap in dataset.gaps if not gap.attributes
    ]
    problems += [Problem(table.path, "table", table.problem) for table in dataset.table_problems]
    problems += _torn_groups(dataset.samples)
    attributes: dict[str, list[Finding]] = defaultdict(list)
    for sample in dataset.samples:
        found, findings = _check_sample(sample)
        problems += found
        for name, finding in findings.items():
            problems += finding.problems
            attributes[name].append(finding)
        on_progress()
    unknown = {entry.attribute: entry for entry in find_unknown(dataset.gaps)}
    problems += [
        Problem(dataset.root, "gap", f"no image has a mask of {name}")
        for name in sorted(unknown.keys() - attributes.keys())
    ]
    return CheckReport(
        dataset=dataset.name,
        num_samples=len(dataset.samples),
        num_masks=sum(sample.mask is not None for sample in dataset.samples),
        num_groups=len({sample.group for sample in dataset.samples}),
        parts=dict(Counter(sample.part for sample in dataset.samples if sample.part is not None)),
        attributes={
            name: _count(attributes[name], unknown.get(name)) for name in sorted(attributes)
        },
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


def _check_sample(sample: Sample) -> tuple[list[Problem], dict[str, Finding]]:
    """Problems of image and lesion mask, and what is found of each attribute."""
    problems: list[Problem] = []
    size = None
    try:
        height, width, _ = read_image(sample.image).shape
        size = (height, width)
    except ImageError as error:
        problems.append(Problem(sample.image, "unreadable", error.reason))
    if sample.mask is not None:
        problems += check_mask(sample.mask, size, name=LESION, may_be_empty=False).problems
    return problems, _check_attributes(sample, size)


def _check_attributes(sample: Sample, size: Size | None) -> dict[str, Finding]:
    findings = {}
    features: dict[tuple[Path, Path], list[SuperpixelFeature]] = defaultdict(list)
    for name, mask in sample.attributes.items():
        if isinstance(mask, SuperpixelFeature):
            features[mask.superpixels, mask.features].append(mask)
        else:
            findings[name] = check_mask(mask, size, name=name, may_be_empty=True)
    for together in features.values():
        findings |= check_superpixel_features(together, size)
    return findings


def _count(findings: Iterable[Finding], unknown: Unknown | None) -> AttributeCount:
    known = [finding.is_present for finding in findings if finding.is_present is not None]
    return AttributeCount(len(known), sum(known), unknown)
