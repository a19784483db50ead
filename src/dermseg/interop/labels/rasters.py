"""Masks as picture files: the project's PNG masks, and label layers of napari.

napari opens a TIFF of whole numbers as a layer of labels; 0 is background. Layers may overlap,
labels of one layer may not, so that every label gets a layer of its own, ``NAME.LABEL.tif``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from dermseg.errors import ImageError
from dermseg.images import read_labels, read_mask, write_mask
from dermseg.interop.labels.annotated import LESION, AnnotatedImage
from dermseg.prediction.naming import MASK_ENDING, attribute_ending
from dermseg.storage import write_bytes_atomically
from dermseg.types import BoolMask

__all__ = ["read_layers", "read_masks", "write_layers", "write_masks"]

_MASK_NAME = re.compile(
    r"(?P<stem>.+?)(?:_(?:segmentation|mask)|_attribute_(?P<label>[\w-]+))?", re.IGNORECASE
)
_NO_MASK = ("_overlay", "_probability", "_superpixels")


def read_masks(paths: Iterable[Path]) -> Iterator[AnnotatedImage]:
    """Masks as ``dermseg predict`` and ISIC name them, or each of its image's name alone.

    Raises:
        ImageError: If one cannot be read, or two of an image differ in size.
    """
    stems: defaultdict[str, dict[str, Path]] = defaultdict(dict)
    for path in paths:
        match = _MASK_NAME.fullmatch(path.stem)
        if match and not path.stem.endswith(_NO_MASK):
            stems[match["stem"]][match["label"] or LESION] = path
    for stem, files in stems.items():
        yield _image(f"{stem}.jpg", {label: (p, read_mask(p)) for label, p in files.items()})


def write_masks(images: Iterable[AnnotatedImage], folder: Path) -> None:
    """Write ``NAME_segmentation.png``, and ``NAME_attribute_LABEL.png`` for the other labels.

    An image without a mask of the lesion gets an empty one.

    Raises:
        OutputError: If a file cannot be written.
    """
    for image in images:
        masks = {LESION: np.zeros(image.size, np.bool_), **image.masks}
        for label, mask in masks.items():
            ending = MASK_ENDING if label == LESION else attribute_ending(label)
            write_mask(folder / f"{image.stem}{ending}", mask)


def read_layers(paths: Iterable[Path]) -> Iterator[AnnotatedImage]:
    """Label layers; whatever is not 0 is in the mask. ``NAME.tif`` is the lesion's.

    Raises:
        ImageError: If one cannot be read, or two of an image differ in size.
    """
    stems: defaultdict[str, dict[str, Path]] = defaultdict(dict)
    for path in paths:
        stem, _, label = path.stem.rpartition(".")
        stems[stem or label][label if stem else LESION] = path
    for stem, files in stems.items():
        yield _image(f"{stem}.jpg", {key: (p, read_labels(p) > 0) for key, p in files.items()})


def write_layers(images: Iterable[AnnotatedImage], folder: Path) -> None:
    """Write a layer for each mask, 1 where it is set.

    Raises:
        OutputError: If a file cannot be written.
    """
    for image in images:
        for label, mask in image.masks.items():
            _, content = cv2.imencode(".tif", mask.astype(np.uint8))
            write_bytes_atomically(folder / f"{image.stem}.{label}.tif", content.tobytes())


def _image(file_name: str, read: dict[str, tuple[Path, BoolMask]]) -> AnnotatedImage:
    masks = {label: mask for label, (_, mask) in read.items()}
    size = next(iter(masks.values())).shape
    for path, mask in read.values():
        if mask.shape != size:
            reason = f"its mask has another size than the other masks of {Path(file_name).stem}"
            raise ImageError(str(path), reason)
    return AnnotatedImage(file_name, (size[0], size[1]), masks)
