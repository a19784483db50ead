"""Mask files that are named by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError, UsageError
from dermseg.images import encode_mask, read_mask
from dermseg.storage import make_folder, write_bytes_atomically
from dermseg.types import BoolMask, Size

__all__ = ["MaskFiles", "decode_runs", "encode_runs"]

_RUN: Final = np.dtype("<u4")


class MaskFiles:
    """A folder of masks; equal masks are one file, and none is ever changed.

    Args:
        folder: Made when the first mask is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, mask: BoolMask) -> str:
        """Write a mask, unless it is there; its SHA-256 is its name from then on.

        Raises:
            OutputError: If it cannot be written.
        """
        return self.add_png(encode_mask(mask))

    def add_png(self, content: bytes) -> str:
        """As :meth:`add`, of what :func:`encode_mask` made."""
        name = hashlib.sha256(content).hexdigest()
        path = self.path_of(name)
        if not path.is_file():
            make_folder(path.parent)
            write_bytes_atomically(path, content)
        return name

    def read_png(self, name: str) -> bytes:
        """Read the content of a mask's file.

        Raises:
            ImageError: If it is gone, or is not what its name says.
        """
        path = self.path_of(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ImageError(str(path), f"the mask is gone: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != name:
            raise ImageError(str(path), "the mask was damaged or exchanged")
        return content

    def read(self, name: str) -> BoolMask:
        """Read a mask, (H, W) bool.

        Raises:
            ImageError: As :meth:`read_png`.
        """
        return read_mask(self.read_png(name))

    def path_of(self, name: str) -> Path:
        """Where the mask of this name lies."""
        return self.folder / name[:2] / f"{name[2:]}.png"


def encode_runs(mask: BoolMask) -> bytes:
    """The runs of set pixels of a mask, as the page takes them.

    Args:
        mask: (H, W) bool.

    Returns:
        For each run its first pixel and the first after it, counted along the rows, as 32-bit
        unsigned numbers, the lowest byte first.

    Example:
        >>> decode_runs(encode_runs(np.array([[0, 1], [1, 0]], dtype=bool)), (2, 2)).tolist()
        [[False, True], [True, False]]
    """
    flat: NDArray[np.uint8] = mask.view(np.uint8).ravel()
    borders = np.flatnonzero(np.diff(flat, prepend=np.uint8(0), append=np.uint8(0)))
    return borders.astype(_RUN).tobytes()


def decode_runs(content: bytes, size: Size) -> BoolMask:
    """The mask of :func:`encode_runs`; runs may touch, and must not overlap or go back.

    Args:
        content: As the page sends it.
        size: (height, width) of the mask.

    Raises:
        UsageError: If the content is none of such a mask.
    """
    num_pixels = size[0] * size[1]
    if len(content) % (2 * _RUN.itemsize):
        message = f"the runs have {len(content)} bytes, expected eight for each run"
        raise UsageError(message)
    borders = np.frombuffer(content, _RUN).astype(np.int64)
    lengths = np.diff(borders, prepend=0, append=num_pixels)
    if (lengths < 0).any():
        message = f"the runs go back or beyond the {num_pixels} pixels of the mask"
        raise UsageError(message)
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(size)
