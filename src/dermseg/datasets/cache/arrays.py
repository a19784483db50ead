"""The arrays of a cache: for each network size, a file of images and one of masks.

A file is its array's bytes without a header, so that it can grow in place: row k of
``images-192x256.u8`` is the k-th 192 * 256 * 3 bytes. ``numpy.memmap`` opens it. A byte of masks
holds a pixel of every class, the first class in its lowest bit.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.pairs import Pair
from dermseg.errors import OutputError
from dermseg.images.files import source_name, write_reason
from dermseg.types import MaskStack, Size

__all__ = [
    "ARRAY_SUFFIX",
    "MAX_CLASSES",
    "ArrayWriter",
    "array_paths",
    "array_sizes",
    "open_arrays",
    "row_bytes",
    "row_checksums",
    "size_name",
    "unpack_masks",
]

ARRAY_SUFFIX = ".u8"

MAX_CLASSES = 8
"""Bits of a byte."""


def size_name(size: Size) -> str:
    """``192x256`` for a height of 192 and a width of 256."""
    return f"{size[0]}x{size[1]}"


def row_bytes(size: Size) -> int:
    """Bytes of one image and its masks."""
    return size[0] * size[1] * 4


def array_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """The files of images and of masks of a size, by its name."""
    return folder / f"images-{name}{ARRAY_SUFFIX}", folder / f"masks-{name}{ARRAY_SUFFIX}"


def array_sizes(folder: Path) -> set[str]:
    """Names of the sizes that have files in a folder."""
    return {path.stem.partition("-")[2] for path in folder.glob(f"*-*{ARRAY_SUFFIX}")}


def open_arrays(folder: Path, size: Size) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Map the arrays of a size into memory, to read.

    Returns:
        Images (N, H, W, 3) and masks (N, H, W) of a bit per class. The two may differ in N, which
        is 0 where a file is missing or shorter than a row.
    """
    images, masks = array_paths(folder, size_name(size))
    return _map(images, (*size, 3)), _map(masks, size)


def row_checksums(
    arrays: tuple[NDArray[np.uint8], NDArray[np.uint8]], slot: int
) -> tuple[int, int] | None:
    """CRC-32 of a row's image and masks; None if an array ends before it."""
    if slot >= min(map(len, arrays)):
        return None
    image, masks = (zlib.crc32(array[slot]) for array in arrays)
    return image, masks


def unpack_masks(values: NDArray[np.uint8], num_classes: int) -> MaskStack:
    """Take the masks out of a row, (H, W) to (C, H, W) bool."""
    bits = np.uint8(1) << np.arange(num_classes, dtype=np.uint8)
    return np.asarray((values & bits[:, None, None]) != 0)


def _pack_masks(masks: MaskStack) -> NDArray[np.uint8]:
    """Put (C, H, W) masks into (H, W) bytes."""
    packed = np.zeros(masks.shape[1:], np.uint8)
    for place, mask in enumerate(masks):
        packed |= mask.astype(np.uint8) << np.uint8(place)
    return packed


class ArrayWriter:
    """Writes rows of one network size; a context manager.

    Plain files rather than a memory map, through which a full disk would end the program.

    Args:
        folder: The cache.
        size: (height, width).

    Raises:
        OutputError: From every method, if the disk is full or the folder gone.
    """

    def __init__(self, folder: Path, size: Size) -> None:
        self.size = size
        self._paths = array_paths(folder, size_name(size))
        with ExitStack() as stack:
            files = []
            for path in self._paths:
                with _plain_errors(path):
                    path.touch()
                    files.append(stack.enter_context(path.open("r+b", buffering=0)))
            self._files = files
            self._stack = stack.pop_all()

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def num_bytes(self) -> int:
        """Length of both files."""
        return sum(path.stat().st_size for path in self._paths)

    def write(self, slot: int, pair: Pair) -> tuple[int, int]:
        """Write one row and return its checksums."""
        arrays = (pair.image, _pack_masks(pair.masks))
        checksums = []
        for file, path, values in zip(self._files, self._paths, arrays, strict=True):
            data = values.tobytes()
            with _plain_errors(path):
                file.seek(slot * len(data))
                rest = memoryview(data)
                while rest:  # a disk that is nearly full takes a part
                    rest = rest[file.write(rest) :]
            checksums.append(zlib.crc32(data))
        return checksums[0], checksums[1]

    def sync(self) -> None:
        """Wait until all rows are on the disk."""
        for file, path in zip(self._files, self._paths, strict=True):
            with _plain_errors(path):
                os.fsync(file.fileno())

    def cut(self, num_rows: int) -> None:
        """Cut off what is longer than some rows."""
        length = num_rows * self.size[0] * self.size[1]
        for file, path, size in zip(self._files, self._paths, (3 * length, length), strict=True):
            with _plain_errors(path):
                if os.fstat(file.fileno()).st_size > size:
                    file.truncate(size)


def _map(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    num_rows = path.stat().st_size // int(np.prod(shape)) if path.is_file() else 0
    if num_rows == 0:
        return np.zeros((0, *shape), np.uint8)
    return np.memmap(path, np.uint8, mode="r", shape=(num_rows, *shape))


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = (
            f"{source_name(path)}: cannot be written: {write_reason(error, path)}. "
            "What is done is kept: the same command continues"
        )
        raise OutputError(message) from error
