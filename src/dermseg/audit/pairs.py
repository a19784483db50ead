"""Pairs of images that show the same, and how that was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Literal

import numpy as np

from dermseg.audit.alignment import Alignment
from dermseg.audit.items import Item, Place

__all__ = [
    "KINDS",
    "SAME_IMAGE",
    "SAME_LESION",
    "ImagePair",
    "Kind",
    "clusters",
    "first_of_each_place",
    "link",
    "merge",
]

Kind = Literal["same_bytes", "same_pixels", "same_image", "same_lesion", "same_id"]
KINDS: Final[tuple[Kind, ...]] = (
    "same_bytes",
    "same_pixels",
    "same_image",
    "same_lesion",
    "same_id",
)
"""From the strongest finding to the weakest."""

SAME_IMAGE, SAME_LESION = 0.85, 0.6
"""Similarities from which a pair is taken for one image, or for one lesion."""


@dataclass(frozen=True)
class ImagePair:
    """Two images that show the same.

    Attributes:
        first: Index of an item.
        second: Index of another item, larger than ``first``.
        kind: The strongest finding.
        evidence: All findings: ``pixels``, ``group`` (the dataset says so) and ``id``.
        alignment: How they lie over each other, where that was found.
    """

    first: int
    second: int
    kind: Kind
    evidence: frozenset[str]
    alignment: Alignment | None = None

    def is_leak(self, items: Sequence[Item]) -> bool:
        """Whether its images are in two parts or two datasets."""
        return items[self.first].place != items[self.second].place

    def transform(self) -> str:
        """Say in words how the second image comes from the first, as far as that is known.

        It is mirrored left to right, then turned clockwise by degrees, then scaled.
        """
        if self.alignment is None:
            return ""
        linear = np.linalg.inv(self.alignment.matrix[:, :2])
        determinant = float(np.linalg.det(linear))
        left, _, right = np.linalg.svd(linear)
        turn = left @ right
        words = []
        if determinant < 0:
            words.append("mirrored")
            turn = turn @ np.diag([-1, 1])
        degrees = round(float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))) % 360
        if degrees:
            words.append(f"turned {degrees}")
        words.append(f"scale {np.sqrt(abs(determinant)):.2f}")
        words.append(f"overlap {self.alignment.overlap:.2f}")
        return ", ".join(words)


def clusters(keys: Mapping[int, Hashable]) -> list[list[int]]:
    """Lists of two or more indices with the same key, in order."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(keys):
        found[keys[index]].append(index)
    return [members for members in found.values() if len(members) > 1]


def link(members: Iterable[int], items: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """Pair each member with the first member of each place.

    That names every image and every leak without listing all pairs of a large cluster.
    """
    members = sorted(members)
    for first, second in product(first_of_each_place(members, items), members):
        if first != second:
            yield min(first, second), max(first, second)


def first_of_each_place(members: Iterable[int], items: Sequence[Item]) -> list[int]:
    """The first member in each dataset and part."""
    firsts: dict[Place, int] = {}
    for index in members:
        firsts.setdefault(items[index].place, index)
    return list(firsts.values())


def merge(pairs: Iterable[ImagePair]) -> list[ImagePair]:
    """Keep one of each two images, with the strongest kind and all evidence; sorted."""
    merged: dict[tuple[int, int], ImagePair] = {}
    for pair in pairs:
        key = (pair.first, pair.second)
        other = merged.get(key)
        if other is None:
            merged[key] = pair
            continue
        strongest = min(pair, other, key=lambda one: KINDS.index(one.kind))
        merged[key] = replace(
            strongest,
            evidence=pair.evidence | other.evidence,
            alignment=pair.alignment or other.alignment,
        )
    return [merged[key] for key in sorted(merged)]
