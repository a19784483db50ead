"""Two folders, of images and of masks, in place of a dataset folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from dermseg.datasets.base import DatasetIndex
from dermseg.datasets.pairing import files_by_id, find_masks, mask_id, pair
from dermseg.errors import DatasetError
from dermseg.images import find_images

__all__ = ["FolderPair", "Source", "index_pair"]


@dataclass(frozen=True)
class FolderPair:
    """Two folders, wherever they are: one of images, one of their masks.

    Attributes:
        images: Holds ``NAME.jpg``, or any other image format.
        masks: Holds ``NAME.png``, ``NAME_segmentation.png`` or ``NAME_mask.png``.
    """

    images: Path
    masks: Path

    def __str__(self) -> str:
        return f"{self.images} with {self.masks}"


Source: TypeAlias = Path | FolderPair
"""The folder of a dataset, or two folders."""


def index_pair(folders: FolderPair) -> DatasetIndex:
    """Pair images and masks by name; subfolders are not looked into.

    Raises:
        DatasetError: If a folder is missing, both are the same, or two images or masks have the
            same id.
    """
    for option, folder in (("--images", folders.images), ("--masks", folders.masks)):
        if not folder.is_dir():
            raise DatasetError(f"{option} {folder}: no such folder")
    if folders.images.resolve() == folders.masks.resolve():
        raise DatasetError(
            f"--images and --masks are the same folder, {folders.images}: "
            f"move the masks into a folder of their own"
        )
    images = files_by_id(find_images(folders.images), lambda path: path.stem)
    masks = files_by_id(find_masks(folders.masks), partial(mask_id, known=images))
    return pair(images, masks)
