"""One image with its masks, as label tools hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

import numpy as np

from dermseg.errors import ImageError
from dermseg.types import BoolMask, Size

__all__ = [
    "LESION",
    "AnnotatedImage",
    "Decoder",
    "Encoder",
    "SizeLookup",
    "as_size",
    "label_of",
    "refusing",
]

LESION = "lesion"
"""The label of the lesion's mask; others are those of structures in it."""

_MAX_PIXELS = 200_000_000


@dataclass(frozen=True)
class AnnotatedImage:
    """The masks of an image by label.

    Attributes:
        file_name: The image's file, as the tool names it.
        size: (height, width) in pixels.
        masks: (H, W) bool by label; an empty one says that the label was looked for, and is not
            there.
    """

    file_name: str
    size: Size
    masks: Mapping[str, BoolMask] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The file's name without folders and suffix."""
        return PurePosixPath(PureWindowsPath(self.file_name).as_posix()).stem

    @classmethod
    def gather(
        cls,
        file_name: str,
        size: Size,
        parts: Iterable[tuple[str, BoolMask]],
        labels: Sequence[str] = (),
    ) -> AnnotatedImage:
        """Unite the masks of equal labels.

        Args:
            file_name: The image's file.
            size: (height, width).
            parts: Labels with masks.
            labels: Those that get a mask even if no part has them.
        """
        masks = {label: np.zeros(size, np.bool_) for label in labels}
        for label, mask in parts:
            masks[label] = masks[label] | mask if label in masks else mask
        return cls(file_name, size, masks)


Encoder: TypeAlias = Callable[[Iterable[AnnotatedImage]], Iterator[bytes]]
"""Makes the content of a file, in chunks."""

SizeLookup: TypeAlias = Callable[[str], Size]
"""Finds the (height, width) of an image file by its name, for formats that do not hold it."""

Decoder: TypeAlias = Callable[[bytes, str, SizeLookup], Iterator[AnnotatedImage]]
"""Reads the content of a file, whose name is the second argument.

It raises ``KeyError``, ``TypeError``, ``ValueError`` and the like on content that is damaged.
"""


def as_size(height: Any, width: Any) -> Size:  # noqa: ANN401 -- whatever a file holds
    """(height, width) from a file.

    Raises:
        ValueError: If they are no whole numbers above 0, or far too large.
    """
    size = int(height), int(width)
    if min(size) < 1 or size[0] * size[1] > _MAX_PIXELS:
        raise ValueError(f"an image of {size[1]} x {size[0]} pixels")
    return size


def label_of(name: object) -> str:
    """A label as it can stand in a file's name: letters, digits, ``_`` and ``-``.

    Raises:
        ValueError: If nothing of it is left.

    Example:
        >>> label_of("Pigment network")
        'Pigment_network'
    """
    label = re.sub(r"[^\w-]+", "_", str(name)).strip("_")
    if not label:
        raise ValueError(f"the label {name!r} has no letters")
    return label


def refusing(images: Iterator[AnnotatedImage], name: str, format: str) -> Iterator[AnnotatedImage]:
    """Turn what decoders raise on damaged content into ``ImageError``.

    Args:
        images: From a decoder.
        name: The file.
        format: What it was taken for.
    """
    try:
        yield from images
    except ImageError:
        raise
    except _UNREADABLE as error:
        detail = f"{error!r} is missing" if isinstance(error, KeyError) else str(error)
        reason = f"not {format} that can be read ({detail or type(error).__name__})"
        raise ImageError(name, reason) from error


_UNREADABLE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, MemoryError,
    RecursionError, SyntaxError, EOFError, NotImplementedError,
)  # fmt: skip
