"""Attributes as flags or scores of superpixels: the format of ISIC 2017 Part 2.

A map of superpixels is an RGB PNG of the image's size; the number of the superpixel that a pixel
belongs to is R + 256 G + 65536 B. A JSON file beside it has, for each feature, a list with one
number for every superpixel, in order: 0 or 1 in the truth, a score in [0, 1] in a submission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dermseg.errors import DatasetError, ImageError
from dermseg.images import read_image
from dermseg.storage import read_json, write_bytes_atomically
from dermseg.types import BoolMask, FloatArray, ImageArray

__all__ = [
    "FEATURES_ENDING",
    "Labels",
    "count_superpixels",
    "decode_superpixels",
    "paint_superpixels",
    "read_features",
    "read_superpixels",
    "score_superpixels",
    "write_features",
]

FEATURES_ENDING: Final = "_features.json"
"""How the official file of an image's features ends, after its id."""

Labels: TypeAlias = NDArray[np.int32]
"""Superpixel of each pixel, (H, W) int32, counted from 0."""

# Enough for scores, and as many as a float32 has.
_DECIMALS = 7


def decode_superpixels(image: ImageArray) -> Labels:
    """Turn the colours of a map into the numbers of superpixels.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) int32, ``R + (G << 8) + (B << 16)``.

    Example:
        >>> decode_superpixels(np.array([[[3, 0, 0], [2, 1, 0]]], np.uint8)).tolist()
        [[3, 258]]
    """
    # In place, as native images have up to 30 megapixels.
    labels: Labels = image[..., 2].astype(np.int32)
    for channel in (1, 0):
        labels <<= 8
        labels |= image[..., channel]
    return labels


def read_superpixels(path: Path) -> Labels:
    """Read a map of superpixels, ``ISIC_0000000_superpixels.png``.

    Raises:
        ImageError: If it cannot be read.
    """
    return decode_superpixels(read_image(path))


def count_superpixels(labels: Labels) -> int:
    """Number of superpixels of a map: the highest number in it, and one for superpixel 0."""
    return int(labels.max()) + 1


def read_features(path: Path) -> dict[str, FloatArray]:
    """Read the flags or scores of each feature, ``ISIC_0000000_features.json``.

    Returns:
        By feature, in the order of the file, one number per superpixel, (N,) float64 in [0, 1].

    Raises:
        ImageError: If the file cannot be read, or is not an object with a list of numbers in
            [0, 1] for each feature, all equally long.
    """
    try:
        content = read_json(path, refuse=DatasetError)
    except DatasetError as error:
        raise ImageError(str(path), str(error).removeprefix(f"{path}: ")) from error
    if not isinstance(content, dict) or not content:
        reason = "expected a JSON object with a list of numbers for each feature"
        raise ImageError(str(path), reason)
    for name, values in content.items():
        if not isinstance(values, list) or not all(map(_is_share, values)):
            reason = f"'{name}' must be a list of numbers from 0 to 1, one for each superpixel"
            raise ImageError(str(path), reason)
    lengths = {name: len(values) for name, values in content.items()}
    if len(set(lengths.values())) > 1:
        reason = f"the features have lists of different lengths: {_listed(lengths)}"
        raise ImageError(str(path), reason)
    return {name: np.array(values, np.float64) for name, values in content.items()}


def paint_superpixels(
    labels: Labels, scores: FloatArray | NDArray[np.bool_], *, threshold: float = 0.5
) -> BoolMask:
    """Turn the flags or scores of superpixels into a mask.

    Args:
        labels: (H, W) int32.
        scores: (N,), one for each superpixel.
        threshold: A superpixel is in the mask if its score is above it.

    Returns:
        (H, W) bool.

    Raises:
        DatasetError: If there are not as many scores as superpixels.
    """
    num = count_superpixels(labels)
    if scores.shape != (num,):
        message = (
            f"the map has {num} superpixels and there are {scores.size} values, expected one for "
            "each: take map and values from the same image"
        )
        raise DatasetError(message)
    mask: BoolMask = (scores > threshold)[labels]
    return mask


def score_superpixels(
    labels: Labels, values: FloatArray | BoolMask, *, majority: bool = False
) -> NDArray[np.float64]:
    """Turn a mask or probabilities into one score per superpixel.

    Args:
        labels: (H, W) int32.
        values: (H, W), a mask, or probabilities in [0, 1].
        majority: Whether the score says 1 where more than half of the superpixel's pixels are
            above 0.5, and else 0; by default it is the mean of the values.

    Returns:
        (N,) float64 in [0, 1]; 0 for a number that no pixel has.

    Raises:
        DatasetError: If the two differ in size.
    """
    if values.shape != labels.shape:
        sizes = ["x".join(map(str, array.shape[::-1])) for array in (values, labels)]
        message = (
            f"the values are {sizes[0]} and the superpixels {sizes[1]} (width x height), expected "
            "the same: bring the values to the image's native size"
        )
        raise DatasetError(message)
    num = count_superpixels(labels)
    weights = (values > 0.5) if majority else values
    num_pixels = np.bincount(labels.ravel(), minlength=num)
    sums = np.bincount(labels.ravel(), weights=weights.ravel().astype(np.float64), minlength=num)
    # Sums of many small floats may exceed their number by rounding.
    means = np.clip(sums / np.maximum(num_pixels, 1), 0, 1)
    return (means > 0.5).astype(np.float64) if majority else means


def write_features(path: Path, scores: Mapping[str, FloatArray | NDArray[np.bool_]]) -> None:
    """Write flags or scores of superpixels as the official JSON file, for a submission.

    Args:
        path: The file, officially ``ISIC_0000000_features.json``.
        scores: By feature, (N,): bool becomes 0 and 1, scores are rounded to 7 decimals.

    Raises:
        DatasetError: If the lists differ in length, are empty, or have values outside [0, 1].
        OutputError: If it cannot be written.
    """
    lengths = {name: values.size for name, values in scores.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        message = (
            f"{path}: expected as many scores for each feature as there are superpixels, got "
            f"{_listed(lengths) or 'no feature'}"
        )
        raise DatasetError(message)
    for name, values in scores.items():
        if not (values.ndim == 1 and values.min() >= 0 and values.max() <= 1):  # also for NaN
            message = f"{path}: expected a list of scores from 0 to 1 for '{name}'"
            raise DatasetError(message)
    content = {name: _plain(values) for name, values in scores.items()}
    write_bytes_atomically(path, (json.dumps(content) + "\n").encode())


def _plain(values: FloatArray | NDArray[np.bool_]) -> list[int] | list[float]:
    if values.dtype == np.bool_:
        return [int(value) for value in values]
    return [round(float(value), _DECIMALS) for value in values]


def _is_share(value: object) -> bool:
    # JSON's true and false are no numbers here; NaN, which Python's reader takes, is in no range.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _listed(lengths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {length}" for name, length in lengths.items())
