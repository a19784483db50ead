"""Images of your own in a plain folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.base import Dataset, DatasetIndex
from dermseg.datasets.ham10000 import is_kaggle_copy
from dermseg.datasets.pairing import files_by_id, find_masks, mask_id, pair
from dermseg.images import find_images

__all__ = ["ImageFolder"]


class ImageFolder(Dataset):
    """Any images with or without masks, in two folders.

    ::

        images/    NAME.jpg, or any other image format
        masks/     NAME_segmentation.png, NAME_mask.png or NAME.png; may be missing altogether

    Without a ``masks`` folder the samples have no truth. With one, an image without a mask is
    left out and named. Every image is a group of its own. Known copies of public datasets in the
    same folders are opened as these.
    """

    name = "folder"
    title = "Images of your own, with or without masks"
    num_images: ClassVar[Mapping[str, int]] = {}
    licence = "the owner's"
    url = None
    doi = None
    layout = """\
images/NAME.jpg
masks/NAME_segmentation.png, NAME_mask.png or NAME.png (optional)"""
    known_defects = ()

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the folder of images."""
        return ("images",)

    @classmethod
    def matches(cls, root: Path) -> bool:
        """Tell whether there is a folder of images that is no copy of a public dataset."""
        return super().matches(root) and not is_kaggle_copy(root)

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair ``images`` and ``masks`` by name.

        Raises:
            DatasetError: If two images, or two masks, have the same id.
        """
        images = files_by_id(find_images(root / "images"), lambda path: path.stem)
        if not (root / "masks").is_dir():
            return pair(images, None)
        masks = files_by_id(find_masks(root / "masks"), partial(mask_id, known=images))
        return pair(images, masks)
