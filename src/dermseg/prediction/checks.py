"""Checks of the arguments of a predictor: whatever is wrong with them is an error of ours."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import ImageError, UsageError
from dermseg.images import check_pixels
from dermseg.package import ModelSpec
from dermseg.storage import StoredFile

__all__ = [
    "check_array",
    "check_count",
    "check_lesion_model",
    "check_megapixels",
    "check_sources",
    "check_threshold",
]

_MOST = 2**31 - 1
_NUMBER = float | int | np.floating | np.integer
_ONE_IMAGE = (str, bytes, bytearray, memoryview, os.PathLike, StoredFile)


def check_count(name: str, value: object) -> int:
    """A whole number from 1 on, such as a number of threads.

    Raises:
        UsageError: If it is something else.
    """
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = 0
    if not 1 <= count <= _MOST:
        message = f"{name} is {value!r}, expected at least 1, as a whole number"
        raise UsageError(message)
    return count


def check_threshold(value: object) -> float:
    """A probability that parts pixels.

    Raises:
        UsageError: If it is something else.
    """
    if not (isinstance(value, _NUMBER) and 0 < value < 1):
        message = f"the threshold is {value!r}, expected a number between 0 and 1"
        raise UsageError(message)
    return float(value)


def check_megapixels(value: object) -> float:
    """The limit of an image's size.

    Raises:
        UsageError: If it is something else than a number above 0.
    """
    if not (isinstance(value, _NUMBER) and value > 0):
        message = f"max_megapixels is {value!r}, expected a number above 0"
        raise UsageError(message)
    return float(value)


def check_sources(sources: object) -> None:
    """Refuse what cannot be passed through, and a single image, which may be iterable too.

    Raises:
        UsageError: If they are no images, or one alone.
    """
    is_array = isinstance(sources, np.ndarray) and sources.ndim != 4
    if isinstance(sources, _ONE_IMAGE) or is_array or hasattr(sources, "read"):
        message = "predict_many takes several images: put one into a list, or use predict"
        raise UsageError(message)
    if not isinstance(sources, Iterable):
        message = f"the images are a {type(sources).__name__}, expected a list or another iterable"
        raise UsageError(message)


def check_array(image: NDArray[Any], max_megapixels: float) -> None:
    """Refuse an array that is no image, or too large.

    Raises:
        ImageError: Says what it is.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        reason = f"it is {image.shape} {image.dtype}, expected (H, W, 3) uint8 in RGB order"
        raise ImageError("array", reason)
    check_pixels("array", (image.shape[0], image.shape[1]), max_megapixels)


def check_lesion_model(spec: ModelSpec, *, is_given: bool) -> None:
    """Refuse a lesion model where none is needed, and its absence where one is.

    Raises:
        UsageError: Says which.
    """
    if is_given and not spec.needs_lesion_model:
        message = f"the model {spec.name} finds the lesion itself: give it no lesion model"
        raise UsageError(message)
    if not is_given and spec.lesion_crop is not None:
        message = (
            f"the model {spec.name} looks at the lesion alone, and needs a lesion model: give one, "
            "or use load_model, which takes the one that the package names"
        )
        raise UsageError(message)
