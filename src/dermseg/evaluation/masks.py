"""Masks as they are scored: found in folders or ZIP archives, read, checked and resized."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dermseg.datasets.pairing import find_masks
from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation.protocols import Scaling
from dermseg.images import find_images, foreground, list_images, read_mask_values
from dermseg.metrics import ConfusionCounts, ProbabilityCounts, confusion_counts
from dermseg.preprocessing import resize_mask
from dermseg.storage import Archive, StoredFile
from dermseg.types import BoolMask

__all__ = [
    "CheckedMask",
    "MaskFile",
    "list_masks",
    "list_probabilities",
    "read_checked_mask",
    "scale_mask",
    "scaled_auc",
    "scaled_counts",
]

MaskFile: TypeAlias = Path | StoredFile
"""A local file, or one of another storage, such as a ZIP archive."""

_Pixels = TypeVar("_Pixels", BoolMask, NDArray[np.uint8])

PROBABILITY_ENDING = "_probability"
_NOT_MASKS = ("_overlay", PROBABILITY_ENDING)


_FLAGS = {"nearest": cv2.INTER_NEAREST, "nearest_centre": cv2.INTER_NEAREST_EXACT}


@dataclass(frozen=True)
class CheckedMask:
    """A mask, and what a reader of its scores must know about the file.

    Attributes:
        mask: (H, W) bool.
        is_binary: Whether all its values are 0 or 255, as the scorers that ask for binary masks
            mean it.
        finding: What is odd about it, or None.
    """

    mask: BoolMask
    is_binary: bool = True
    finding: str | None = None


def list_masks(location: Path, what: str) -> list[MaskFile]:
    """List the mask files of a folder or of a ZIP archive, whatever its folders, sorted.

    Raises:
        DatasetError: If there is no such folder or archive; ``what`` it should hold is named.
    """
    if _is_archive(location):
        return [path for path in _members(location) if not _stem(path).endswith(_NOT_MASKS)]
    _check_folder(location, what)
    return list(find_masks(location))


def list_probabilities(location: Path) -> list[MaskFile]:
    """List the files ``NAME_probability.png`` of a folder or a ZIP archive, sorted."""
    files = _members(location) if _is_archive(location) else find_images(location)
    return [path for path in files if _stem(path).endswith(PROBABILITY_ENDING)]


def read_checked_mask(file: MaskFile) -> CheckedMask:
    """Read a mask as ``read_mask`` does, and look at its grey values.

    Raises:
        ImageError: If the file cannot be read, or has colours.
    """
    values = read_mask_values(file)
    mask = foreground(values)
    if ((values == 0) | (values == 255)).all():
        return CheckedMask(mask)
    used = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    if values.max() == 1:
        finding = f"its values are {_listed(used)}: 1 is lesion here, and skin to scorers of ISIC"
    elif used.size > 2 or (used.size == 2 and used[0]):
        share = float(np.mean((values != 0) & (values != 255)))
        finding = f"not binary: {share:.2%} of its pixels are grey; above 128 is lesion"
    elif mask.any():
        finding = f"its values are {_listed(used)}, not 0 and 255; above 128 is lesion"
    else:
        finding = f"its values are {_listed(used)}, and none is above 128: it counts as empty"
    return CheckedMask(mask, is_binary=False, finding=finding)


def scaled_counts(
    prediction: BoolMask, target: BoolMask, scaling: Scaling, *, lesion: BoolMask | None = None
) -> ConfusionCounts:
    """Resize both masks, (H, W) bool, and count.

    Args:
        prediction: (H, W) bool.
        target: The same size.
        scaling: To which size; says, too, whether only the inside of the lesion counts.
        lesion: The true lesion in the same size; None scores the whole image.
    """
    if scaling.inside_lesion and lesion is not None:
        prediction, target = prediction & lesion, target & lesion
    masks = (scale_mask(mask, scaling, lesion=lesion) for mask in (prediction, target))
    return confusion_counts(*masks)


def scaled_auc(
    levels: NDArray[np.uint8],
    target: BoolMask,
    scaling: Scaling,
    *,
    lesion: BoolMask | None = None,
) -> float:
    """Resize probabilities and truth to the nearest pixels, and compute the area under the curve.

    Args:
        levels: Probability times 255, (H, W) uint8. It is not cleared outside the lesion.
        target: (H, W) bool.
        scaling: As for `scaled_counts`.
        lesion: The same.

    Returns:
        In [0, 1]; NaN where the truth has only one value.
    """
    if scaling.inside_lesion and lesion is not None:
        target = target & lesion
    scaled = _resize(_inside(levels, scaling, lesion), scaling)
    truth = scale_mask(target, scaling, lesion=lesion)
    return ProbabilityCounts.of(scaled, truth).auc()


def scale_mask(mask: BoolMask, scaling: Scaling, *, lesion: BoolMask | None = None) -> BoolMask:
    """Resize a mask, (H, W) bool: to the scaling's size, or the lesion's box to its side."""
    mask = _inside(mask, scaling, lesion)
    if scaling.size is None or scaling.size == mask.shape:
        return mask
    if scaling.method == "mean":
        return resize_mask(mask, scaling.size)
    return np.asarray(_resize(mask.astype(np.uint8), scaling), np.bool_)


def _inside(values: _Pixels, scaling: Scaling, lesion: BoolMask | None) -> _Pixels:
    """The rows and columns that hold lesion; all of them where the whole image is scored."""
    if not scaling.inside_lesion or lesion is None or not lesion.any():
        return values
    return values[np.ix_(lesion.any(axis=1), lesion.any(axis=0))]


def _resize(values: NDArray[np.uint8], scaling: Scaling) -> NDArray[np.uint8]:
    if scaling.size is None:
        return values
    height, width = scaling.size
    if scaling.inside_lesion:
        factor = min(scaling.size) / min(values.shape)
        height, width = (int(factor * side) for side in values.shape)
    resized = cv2.resize(values, (width, height), interpolation=_FLAGS[scaling.method])
    return np.asarray(resized, np.uint8)


def _is_archive(location: Path) -> bool:
    return location.is_file() and zipfile.is_zipfile(location)  # a pipe would be waited for


def _members(archive: Path) -> list[MaskFile]:
    """The image files of an archive."""
    try:
        return list(list_images(Archive(archive), recursive=True))
    except UsageError as error:
        raise DatasetError(str(error)) from error


def _check_folder(folder: Path, what: str) -> None:
    if not folder.is_dir():
        state = "is neither a folder nor a ZIP archive" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {state}. Give the folder that holds the {what}.")


def _stem(file: MaskFile) -> str:
    return PurePosixPath(file.name).stem


def _listed(values: NDArray[np.intp]) -> str:
    return " and ".join(map(str, values))
