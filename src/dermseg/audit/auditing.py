"""Finding what should not be in two places: the audit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from dermseg.audit.alignment import Alignment, align
from dermseg.audit.candidates import Candidate, find_candidates
from dermseg.audit.items import Item, list_items
from dermseg.audit.pairs import (
    SAME_IMAGE,
    SAME_LESION,
    ImagePair,
    Kind,
    clusters,
    first_of_each_place,
    link,
    merge,
)
from dermseg.audit.scanning import Scan, scan_image
from dermseg.datasets import Dataset, archive_id
from dermseg.errors import ImageError
from dermseg.preprocessing import Fingerprint
from dermseg.progress import track
from dermseg.threads import map_in_order
from dermseg.types import Split

__all__ = ["Audit", "audit_datasets"]


@dataclass(frozen=True)
class Audit:
    """The findings of an audit.

    Attributes:
        items: All images, by dataset and id.
        pairs: Images that show the same, sorted.
        failures: What could not be read; those images were only compared by id and group.
    """

    items: tuple[Item, ...]
    pairs: tuple[ImagePair, ...]
    failures: tuple[ImageError, ...]

    @property
    def leaks(self) -> list[ImagePair]:
        """The pairs across two parts or two datasets."""
        return [pair for pair in self.pairs if pair.is_leak(self.items)]


def audit_datasets(
    datasets: Sequence[Dataset],
    splits: Sequence[Split | None],
    *,
    num_workers: int | None = None,
) -> Audit:
    """Look for the same image or the same lesion in and between parts and datasets.

    Compared are files, decoded pixels, what the images show (however they were re-encoded,
    resized, turned, mirrored or cropped by a tenth), the lesions that the datasets name, and the
    ids of the ISIC archive and of PH2. Every image is read once; about 33 kB are kept of each.

    Args:
        datasets: One or two, or more.
        splits: For each dataset its parts, see `list_items`.
        num_workers: Threads; None takes the number of cores, at most 8.
    """
    num_workers = num_workers or min(8, os.cpu_count() or 1)
    items = list_items(datasets, splits)
    paths = [item.path for item in items]
    results = map_in_order(scan_image, paths, num_threads=num_workers)
    scans: dict[int, Scan] = {}
    failures = []
    for index, result in enumerate(track(results, len(items), "reading")):
        if isinstance(result, Scan):
            scans[index] = result
        else:
            failures.append(result)
    pairs = [
        *_known_pairs(items),
        *_identical_pairs(items, scans),
        *_similar_pairs(items, scans, num_workers=num_workers),
    ]
    return Audit(tuple(items), tuple(merge(pairs)), tuple(failures))


def _known_pairs(items: Sequence[Item]) -> Iterator[ImagePair]:
    """By what ids and groups say; within one place, groups are no finding."""
    groups = {index: item.group for index, item in enumerate(items) if item.group}
    for members in clusters(groups):
        for first, second in link(members, items):
            if items[first].place != items[second].place:
                yield ImagePair(first, second, "same_lesion", frozenset({"group"}))
    numbers = {index: archive_id(item.id) for index, item in enumerate(items)}
    for members in clusters({index: number for index, number in numbers.items() if number}):
        for first, second in link(members, items):
            yield ImagePair(first, second, "same_id", frozenset({"id"}))


def _identical_pairs(items: Sequence[Item], scans: dict[int, Scan]) -> Iterator[ImagePair]:
    for members in clusters({index: scan.pixels_hash for index, scan in scans.items()}):
        for first, second in link(members, items):
            same = scans[first].bytes_hash == scans[second].bytes_hash
            kind: Kind = "same_bytes" if same else "same_pixels"
            yield ImagePair(first, second, kind, frozenset({"pixels"}))


def _similar_pairs(
    items: Sequence[Item], scans: dict[int, Scan], *, num_workers: int
) -> Iterator[ImagePair]:
    """By their fingerprints; of identical images one stands for all."""
    copies: dict[bytes, list[int]] = {}
    for index, scan in scans.items():
        copies.setdefault(scan.pixels_hash, []).append(index)
    clones = list(copies.values())
    fingerprints = [scans[members[0]].fingerprint for members in clones]
    candidates = find_candidates(fingerprints, num_workers=num_workers)
    compare = partial(_align, fingerprints)
    results = map_in_order(compare, candidates, num_threads=num_workers)
    tracked = track(results, len(candidates), "comparing")
    for candidate, alignment in zip(candidates, tracked, strict=True):
        if alignment is None or alignment.similarity < SAME_LESION:
            continue
        kind: Kind = "same_image" if alignment.similarity >= SAME_IMAGE else "same_lesion"
        sides = (
            first_of_each_place(clones[index], items)
            for index in (candidate.first, candidate.second)
        )
        for one, other in product(*sides):
            evidence = {"pixels"}
            if items[one].group is not None and items[one].group == items[other].group:
                evidence.add("group")
            first, second = min(one, other), max(one, other)
            placed = alignment if first == one else alignment.inverse()
            yield ImagePair(first, second, kind, frozenset(evidence), placed)


def _align(fingerprints: Sequence[Fingerprint], candidate: Candidate) -> Alignment | None:
    return align(fingerprints[candidate.first], fingerprints[candidate.second], candidate)
