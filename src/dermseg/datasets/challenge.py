"""The layout that the downloads of the ISIC challenges share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.attributes import AttributeFiles, add_attributes
from dermseg.datasets.base import Dataset, DatasetIndex, Orphan
from dermseg.datasets.pairing import files_by_id, join, mask_id, pair
from dermseg.images import find_images

__all__ = [
    "ChallengeDataset",
    "PartFolders",
    "isic_images",
    "isic_masks",
    "isic_superpixels",
]

_IMAGE_STEM = re.compile(r"ISIC_\d{7}")
_MASK_STEM = re.compile(r"ISIC_\d{7}_[Ss]egmentation")
# Maps for Part 2 of 2017, stored beside the images.
_SUPERPIXELS = "_superpixels"


@dataclass(frozen=True)
class PartFolders:
    """The folders of one part of a challenge.

    Attributes:
        part: ``train``, ``validation`` or ``test``.
        images: Name of the folder of ``ISIC_0000000.jpg``.
        masks: Name of the folder of ``ISIC_0000000_segmentation.png``.
        attributes: Name of the folder of what is marked besides the lesion, or None.
    """

    part: str
    images: str
    masks: str
    attributes: str | None = None


class ChallengeDataset(Dataset):
    """A challenge download: for each part a folder of images and a folder of lesion masks.

    Any subset of the parts may be there. Where a part has no ground-truth folder, its samples
    have no mask. A dataset that marks attributes says how they are found (`find_attributes`).

    Attributes:
        folders: The parts and their folders.
    """

    folders: ClassVar[tuple[PartFolders, ...]]

    @classmethod
    def markers(cls) -> tuple[str, ...]:
        """Name the image folders of all parts."""
        return tuple(folders.images for folders in cls.folders)

    @classmethod
    def index(cls, root: Path) -> DatasetIndex:
        """Pair each part by id.

        Files whose names the challenge does not use become orphans; superpixels are ignored.

        Raises:
            DatasetError: If an id occurs twice.
        """
        paired = join(_index_part(root, folders) for folders in cls.folders)
        parts = [
            cls.find_attributes(root / folders.images, root / folders.attributes)
            for folders in cls.folders
            if folders.attributes is not None
        ]
        return add_attributes(paired, parts)

    @classmethod
    def find_attributes(cls, data: Path, truth: Path) -> AttributeFiles:
        """Find what is marked besides the lesion in one part; nothing, unless a dataset says how.

        Args:
            data: The folder of images.
            truth: The folder of what is marked.

        Raises:
            DatasetError: If an image has two masks of an attribute.
        """
        return AttributeFiles()


def isic_images(folder: Path) -> tuple[list[Path], list[Orphan]]:
    """List the files ``ISIC_0000000`` of a folder, and those whose names are not of that kind."""
    return _sort_out(folder, _IMAGE_STEM)


def isic_masks(folder: Path) -> tuple[list[Path], list[Orphan]]:
    """List the files ``ISIC_0000000_segmentation`` of a folder, and those of other names."""
    return _sort_out(folder, _MASK_STEM)


def isic_superpixels(folder: Path) -> dict[str, Path]:
    """List the files ``ISIC_0000000_superpixels.png`` of a folder by id."""
    if not folder.is_dir():
        return {}
    stems = ((path, path.stem.removesuffix(_SUPERPIXELS)) for path in find_images(folder))
    return {id: path for path, id in stems if id != path.stem and _IMAGE_STEM.fullmatch(id)}


def _index_part(root: Path, folders: PartFolders) -> DatasetIndex:
    images, strays = isic_images(root / folders.images)
    masks = None
    if (root / folders.masks).is_dir():
        mask_paths, stray_masks = isic_masks(root / folders.masks)
        masks = files_by_id(mask_paths, mask_id)
        strays += stray_masks
    paired = pair(files_by_id(images, mask_id), masks, part=folders.part)
    return join([paired, DatasetIndex((), tuple(strays))])


def _sort_out(folder: Path, stem: re.Pattern[str]) -> tuple[list[Path], list[Orphan]]:
    if not folder.is_dir():
        return [], []
    named, strays = [], []
    for path in find_images(folder):
        if stem.fullmatch(path.stem):
            named.append(path)
        elif not path.stem.endswith(_SUPERPIXELS):
            strays.append(Orphan(path, "not a file name of this dataset"))
    return named, strays
