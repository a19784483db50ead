"""The layout that the downloads of the ISIC challenges share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dermseg.datasets.base import Dataset, DatasetIndex, Orphan
from dermseg.datasets.pairing import files_by_id, join, mask_id, pair
from dermseg.images import find_images

__all__ = ["ChallengeDataset", "PartFolders"]

_IMAGE_STEM = re.compile(r"ISIC_\d{7}")
_MASK_STEM = re.compile(r"ISIC_\d{7}_[Ss]egmentation")
# Maps for Part 2 of 2017, stored beside the images.
_SUPERPIXELS = "_superpixels"


@dataclass(frozen=True)
class PartFolders:
    """Where one part of a challenge is.

    Attributes:
        part: ``train``, ``validation`` or ``test``.
        images: Name of the folder of ``ISIC_0000000.jpg``.
        masks: Name of the folder of ``ISIC_0000000_segmentation.png``.
    """

    part: str
    images: str
    masks: str


class ChallengeDataset(Dataset):
    """A challenge download: for each part a folder of images and a folder of lesion masks.

    Any subset of the parts may be there. Where a part has no ground-truth folder, its samples
    have no mask.

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
        return join(_index_part(root, folders) for folders in cls.folders)


def _index_part(root: Path, folders: PartFolders) -> DatasetIndex:
    images, strays = _files(root / folders.images, _IMAGE_STEM)
    masks = None
    if (root / folders.masks).is_dir():
        masks, stray_masks = _files(root / folders.masks, _MASK_STEM)
        strays += stray_masks
    return join([pair(images, masks, part=folders.part), DatasetIndex((), tuple(strays))])


def _files(folder: Path, stem: re.Pattern[str]) -> tuple[dict[str, Path], list[Orphan]]:
    if not folder.is_dir():
        return {}, []
    named, strays = [], []
    for path in find_images(folder):
        if stem.fullmatch(path.stem):
            named.append(path)
        elif not path.stem.endswith(_SUPERPIXELS):
            strays.append(path)
    orphans = [Orphan(path, "not a file name of this dataset") for path in strays]
    return files_by_id(named, mask_id), orphans
