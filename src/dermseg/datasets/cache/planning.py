"""What of a cache can stay, and what is to be done in which slots."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dermseg.datasets.cache.arrays import open_arrays, row_checksums, size_name
from dermseg.datasets.cache.display import Display
from dermseg.datasets.cache.index import Key, Row
from dermseg.datasets.class_masks import find_class_mask
from dermseg.datasets.fingerprint import file_hash, mask_hashes
from dermseg.datasets.pairs import Preparation
from dermseg.errors import ImageError
from dermseg.types import ClassMask, Sample, Size

__all__ = [
    "Inputs",
    "Task",
    "drop_damaged",
    "find_inputs",
    "find_key",
    "hash_inputs",
    "plan_tasks",
]

Inputs = tuple[Path, tuple[ClassMask | None, ...]]
"""The image file of a sample, and where the masks of the classes are that its pair depends on."""


@dataclass(frozen=True)
class Task:
    """A row to write.

    Attributes:
        sample: Whose image and masks.
        key: The hashes of its files; None if they cannot be read.
        slot: Where it goes.
        sizes: The network sizes that are missing.
    """

    sample: Sample
    key: Key | None
    slot: int
    sizes: tuple[Size, ...]


def find_inputs(sample: Sample, preparation: Preparation) -> Inputs:
    """Name the files that a sample's pair is made from."""
    return sample.image, tuple(find_class_mask(sample, name) for name in preparation.inputs)


def hash_inputs(
    samples: Sequence[Sample],
    preparation: Preparation,
    *,
    num_workers: int,
    display: Display,
) -> list[Key | None]:
    """Hash the files of samples; None for one whose files cannot be read, or that has no mask.

    Contents, not sizes and times of change: those stay the same when a file is restored with its
    old time or when a file system's clock is coarse, and change when a dataset is copied.
    """
    with ThreadPoolExecutor(num_workers) as pool:
        keys = pool.map(lambda sample: find_key(sample, preparation), samples)
        return list(display.track(keys, len(samples), "looking for changes"))


def find_key(sample: Sample, preparation: Preparation) -> Key | None:
    """Hash the files of one sample."""
    image, masks = find_inputs(sample, preparation)
    if not any(masks) and sample.presence.keys().isdisjoint(preparation.classes):
        return None
    total, read = hashlib.sha256(), cache(file_hash)
    try:
        for mask in masks:
            hashes = () if mask is None else mask_hashes(mask, read=read)
            total.update("\0".join((*hashes, "\n")).encode(errors="surrogatepass"))
        return file_hash(image), total.hexdigest()
    except ImageError:
        return None


def drop_damaged(
    folder: Path, rows: Iterable[Row], sizes: Sequence[Size], *, num_workers: int, display: Display
) -> int:
    """Take out of rows the sizes whose bytes are not those that were written.

    The rows keep their slots, because another process may be reading from their neighbours.

    Returns:
        Number of rows that are damaged.
    """
    rows = list(rows)
    arrays = {size_name(size): open_arrays(folder, size) for size in sizes}

    def check(row: Row) -> bool:
        damaged = [
            name
            for name, opened in arrays.items()
            if name in row.checksums and row_checksums(opened, row.slot) != row.checksums[name]
        ]
        for name in damaged:
            del row.checksums[name]
        return bool(damaged)

    with ThreadPoolExecutor(num_workers) as pool:
        return sum(display.track(pool.map(check, rows), len(rows), "checking the cache"))


def plan_tasks(
    samples: Sequence[Sample],
    keys: Sequence[Key | None],
    rows: Mapping[Key, Row],
    sizes: Sequence[Size],
) -> list[Task]:
    """List what is missing.

    New rows get the lowest free slots in the order of the samples. So a build that was broken off
    gives each of them the slot that it would have had, and the arrays come out the same.

    Args:
        samples: What the cache should hold.
        keys: The hashes of their files.
        rows: What it holds, by key.
        sizes: The network sizes that each should have.
    """
    used = {row.slot for row in rows.values()}
    free = (slot for slot in itertools.count() if slot not in used)
    tasks = []
    planned: set[Key] = set()
    for sample, key in zip(samples, keys, strict=True):
        if key is not None and key in planned:  # the same image in two datasets
            continue
        row = None if key is None else rows.get(key)
        done = row.checksums if row else {}
        missing = tuple(size for size in sizes if size_name(size) not in done)
        if missing:
            tasks.append(Task(sample, key, row.slot if row else next(free), missing))
        if key is not None:
            planned.add(key)
    return tasks
