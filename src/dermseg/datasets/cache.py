"""A cache of prepared images and masks, from which training reads: one file per sample and size.

A file is named ``KEY-192x256.pair`` (height x width). KEY is a SHA-256 over all that its arrays are
made from: the image file and the mask files, each by its real path, length and times of change
(mtime and ctime); classes, cleaning and lesion crop; the versions of dermseg, OpenCV and Pillow. So
no file grows stale: after a change, another name is asked for.

This relies on the file system to give a file that is edited or replaced another length, mtime or
ctime. On Linux and macOS no program can set ctime back. On Windows ctime is the time of creation: a
file replaced by one of the same length and mtime is not noticed there.

Files appear whole, in one step. Any number of processes may fill and read a cache at once, without
locks: two that make the same file make it equal. Every read compares a checksum, and a file that is
missing or damaged is made again. Nothing is ever removed but by the user, who may delete any file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from dermseg.datasets.class_masks import find_class_mask
from dermseg.datasets.fingerprint import mask_hashes
from dermseg.datasets.pairs import Pair, Preparation, prepare_pair
from dermseg.errors import DatasetError, ImageError, OutputError, UsageError
from dermseg.progress import track
from dermseg.recipes import Cleaning
from dermseg.storage import printable_path, write_bytes_atomically, write_reason
from dermseg.threads import map_in_order
from dermseg.types import ClassMask, Sample, Size

__all__ = ["CacheReport", "CachedPairs", "fill_cache"]

_FORMAT = 1
_SUFFIX = ".pair"

# Another version of these may decode or resize to other values.
_PACKAGES = ("dermseg", "opencv-python-headless", "pillow")

_Inputs: TypeAlias = tuple[Path, tuple[ClassMask | None, ...], bool]
"""The image, the masks of the classes, and whether a presence is known where there are none."""

_Failure: TypeAlias = tuple[Sample, ImageError | DatasetError]


@dataclass(frozen=True)
class CacheReport:
    """The result of filling a cache.

    Attributes:
        sizes: The network sizes (height, width).
        num_prepared: Images that lacked a size and were prepared.
        num_kept: Images that were there at every size.
        num_bytes: Length of the files of these images and sizes.
        failures: Samples that could not be prepared, and what reading their files would raise.
    """

    sizes: tuple[Size, ...]
    num_prepared: int
    num_kept: int
    num_bytes: int
    failures: tuple[_Failure, ...]


class CachedPairs:
    """Reads the pairs that :class:`~.NativePairs` would make, bit for bit, from a cache.

    The keys of the samples are found here, once: reading a pair opens one small file. A source file
    that changes later is noticed by the next object.

    Args:
        folder: The cache.
        samples: What is going to be read.
        preparation: What a pair is made of.
    """

    def __init__(self, folder: Path, samples: Sequence[Sample], preparation: Preparation) -> None:
        self._folder = folder
        self._preparation = preparation
        self._keys = _find_keys({self._inputs(sample) for sample in samples}, preparation)

    def __call__(self, sample: Sample, size: Size) -> Pair:
        """Return the image and the masks of a sample at (height, width).

        Raises:
            KeyError: If the object was not made for this sample.
            ImageError, DatasetError, OutputError: If the file is missing or damaged, and cannot be
                made again.
        """
        path = self._folder / self.name(sample, size)
        pair = _read(path, size, len(self._preparation.classes))
        if pair is None:
            (pair,) = self.prepare(sample, [size])
        return pair

    def name(self, sample: Sample, size: Size) -> str:
        """Name the file of a sample at (height, width), whether or not it is there."""
        return f"{self._keys[self._inputs(sample)]}-{size[0]}x{size[1]}{_SUFFIX}"

    def prepare(self, sample: Sample, sizes: Sequence[Size]) -> list[Pair]:
        """Make the pairs of a sample from its files, write them to the cache, and return them.

        Raises:
            ImageError: If a file cannot be read.
            DatasetError: If the files do not make a pair.
            OutputError: If the cache cannot be written.
        """
        pairs = prepare_pair(sample, sizes, self._preparation)
        for size, pair in zip(sizes, pairs, strict=True):
            write_bytes_atomically(self._folder / self.name(sample, size), _encode(pair))
        return pairs

    def _inputs(self, sample: Sample) -> _Inputs:
        classes = self._preparation.inputs
        masks = tuple(find_class_mask(sample, name) for name in classes)
        is_told = not any(masks) and not sample.presence.keys().isdisjoint(classes)
        return sample.image, masks, is_told


def fill_cache(
    folder: Path,
    samples: Sequence[Sample],
    *,
    sizes: Sequence[Size],
    preparation: Preparation,
    num_workers: int | None = None,
) -> tuple[CachedPairs, CacheReport]:
    """Prepare what a cache lacks of some samples.

    What cannot be prepared is reported, and all others are done. What is done stays done when the
    program is interrupted or killed.

    Args:
        folder: The cache's own folder; made if it is not there.
        samples: What is going to be read.
        sizes: At which (height, width).
        preparation: What a pair is made of; the lesion may count as one of its classes.
        num_workers: Threads that read images; None takes one per core.

    Raises:
        UsageError: If ``folder`` holds something else.
        OutputError: If there is not enough space, or it cannot be written.
    """
    names = _list(folder)
    pairs = CachedPairs(folder, samples, preparation)
    sizes = tuple(dict.fromkeys(sizes))
    wanted = {  # the same image may be in two datasets
        tuple(pairs.name(sample, size) for size in sizes): sample for sample in samples
    }
    tasks = [
        (sample, [size for size, name in zip(sizes, files, strict=True) if name not in names])
        for files, sample in wanted.items()
        if not names.issuperset(files)
    ]
    lengths = {size: _num_bytes(size, len(preparation.classes)) for size in sizes}
    _check_space(folder, sum(lengths[size] for _, missing in tasks for size in missing))
    workers = num_workers or os.cpu_count() or 1
    failures = _prepare_all(pairs, tasks, num_workers=workers)
    return pairs, CacheReport(
        sizes=sizes,
        num_prepared=len(tasks) - len(failures),
        num_kept=len(wanted) - len(tasks),
        num_bytes=(len(wanted) - len(failures)) * sum(lengths.values()),
        failures=tuple(failures),
    )


def _prepare_all(
    pairs: CachedPairs,
    tasks: Sequence[tuple[Sample, list[Size]]],
    *,
    num_workers: int,
) -> list[_Failure]:
    def prepare(task: tuple[Sample, list[Size]]) -> _Failure | None:
        try:
            pairs.prepare(*task)
        except (ImageError, DatasetError) as error:
            return task[0], error
        return None

    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the images are shared among threads already
    try:
        results = map_in_order(prepare, tasks, num_threads=num_workers)
        tracked = track(results, len(tasks), "preparing")
        return [failure for failure in tracked if failure is not None]
    finally:
        cv2.setNumThreads(num_threads)


def _list(folder: Path) -> set[str]:
    shown = printable_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    except OSError as error:
        message = f"{shown}: cannot be made: {write_reason(error, folder)}"
        raise OutputError(message) from error
    if not all(name.endswith(_SUFFIX) for name in names):
        message = f"{shown} holds something else than a cache: choose a new or an empty folder"
        raise UsageError(message)
    return names


def _check_space(folder: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        message = (
            f"{printable_path(folder)}: {num_bytes / 1e6:,.1f} MB are needed and "
            f"{free / 1e6:,.1f} MB are free: free some space, or choose another folder"
        )
        raise OutputError(message)


def _find_keys(samples: set[_Inputs], preparation: Preparation) -> dict[_Inputs, str]:
    settings = (
        _FORMAT,
        {name: metadata.version(name) for name in _PACKAGES},
        preparation.cleaning.model_dump(include=set(Cleaning.model_fields)),
        preparation.classes,
        preparation.crop_margin,
    )
    describe = cache(_describe_file)
    keys = {}
    for inputs in samples:
        image, masks, is_told = inputs
        files = [mask and mask_hashes(mask, read=describe) for mask in masks]
        content = json.dumps([settings, describe(image), files, is_told])
        keys[inputs] = hashlib.sha256(content.encode()).hexdigest()
    return keys


def _describe_file(path: Path) -> str:
    """Path, length and times of change; where there is no file, something that never recurs."""
    path = path.resolve()
    try:
        status = path.stat()
    except OSError:
        return f"{path} {secrets.token_hex()}"
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _encode(pair: Pair) -> bytes:
    """Lay out a CRC-32, whether classes are known, their masks (a bit per pixel), and the image."""
    arrays = (pair.known, np.packbits(pair.masks), pair.image)
    content = b"".join(array.tobytes() for array in arrays)
    return zlib.crc32(content).to_bytes(4, "little") + content


def _num_bytes(size: Size, num_classes: int) -> int:
    num_pixels = size[0] * size[1]
    return 4 + num_classes + (num_classes * num_pixels + 7) // 8 + 3 * num_pixels


def _read(path: Path, size: Size, num_classes: int) -> Pair | None:
    """Read a file of the cache; None if it is missing, cut off or damaged."""
    try:
        values = np.fromfile(path, np.uint8)
    except OSError:
        return None
    if len(values) != _num_bytes(size, num_classes):
        return None
    num_pixels = size[0] * size[1]
    checksum, known, bits, image = np.split(values, [4, 4 + num_classes, -3 * num_pixels])
    if zlib.crc32(values[4:].data) != int.from_bytes(checksum.tobytes(), "little"):
        return None
    masks = np.unpackbits(bits, count=num_classes * num_pixels).reshape(num_classes, *size)
    return Pair(image.reshape(*size, 3), masks.view(np.bool_), known.view(np.bool_))
