"""Finding the masks of attributes, the structures inside a lesion, in the challenges' layouts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dermseg.datasets.base import DatasetIndex, Gap, Orphan
from dermseg.datasets.pairing import files_by_id, join
from dermseg.datasets.superpixels import FEATURES_ENDING
from dermseg.images import find_images
from dermseg.types import ClassMask, SuperpixelFeature

__all__ = ["AttributeFiles", "add_attributes", "find_attribute_masks", "find_superpixel_features"]

_MASK_STEM = re.compile(r"(ISIC_\d{7})_attribute_(\w+)")
_FEATURES_NAME = re.compile(rf"(ISIC_\d{{7}}){re.escape(FEATURES_ENDING)}")
_NOT_OURS = "not a file name of this dataset"


@dataclass(frozen=True)
class AttributeFiles:
    """The files of attributes of one part of a dataset.

    Attributes:
        masks: By image id and attribute.
        orphans: Files that belong to no image, or are none of the dataset's.
        gaps: Attributes that have no file, by image.
    """

    masks: Mapping[str, Mapping[str, ClassMask]] = field(default_factory=dict)
    orphans: tuple[Orphan, ...] = ()
    gaps: tuple[Gap, ...] = ()


def find_attribute_masks(
    folder: Path, images: Mapping[str, Path], attributes: Sequence[str]
) -> AttributeFiles:
    """Find ``ISIC_0000000_attribute_globules.png`` and its like: one mask per image and attribute.

    Args:
        folder: Where they are; without it, no attribute of any image is known.
        images: Image files by id.
        attributes: Those that the dataset marks, in its order.

    Raises:
        DatasetError: If an image has two masks of an attribute.
    """
    if not folder.is_dir():
        return AttributeFiles()
    orphans, named = [], []
    for path in find_images(folder):
        match = _MASK_STEM.fullmatch(path.stem)
        if match is None:
            orphans.append(Orphan(path, _NOT_OURS))
        elif match[2] not in attributes:
            problem = f"'{match[2]}' is no attribute of this dataset, only {', '.join(attributes)}"
            orphans.append(Orphan(path, problem))
        elif match[1] not in images:
            orphans.append(Orphan(path, "mask without image"))
        else:
            named.append(path)
    files = files_by_id(named, lambda path: path.stem)
    masks: dict[str, dict[str, ClassMask]] = {}
    gaps = []
    for id, image in images.items():
        stems = {name: f"{id}_attribute_{name}" for name in attributes}
        masks[id] = {name: files[stem] for name, stem in stems.items() if stem in files}
        missing = tuple(name for name, stem in stems.items() if stem not in files)
        if missing:
            gaps.append(Gap(image, f"no attribute mask of {', '.join(missing)}", missing))
    return AttributeFiles(masks, tuple(orphans), tuple(gaps))


def find_superpixel_features(
    folder: Path,
    images: Mapping[str, Path],
    superpixels: Mapping[str, Path],
    attributes: Sequence[str],
) -> AttributeFiles:
    """Find ``ISIC_0000000_features.json``: flags of superpixels, whose map is beside the image.

    No file is opened, so each is taken to have all the features; reading it tells.

    Args:
        folder: Where they are; without it, no attribute of any image is known.
        images: Image files by id.
        superpixels: Maps of superpixels by id.
        attributes: Those that the dataset marks, in its order.
    """
    if not folder.is_dir():
        return AttributeFiles()
    orphans, found = [], {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".json" or path.name.startswith("."):
            continue
        match = _FEATURES_NAME.fullmatch(path.name)
        if match is None:
            orphans.append(Orphan(path, _NOT_OURS))
        elif match[1] not in images:
            orphans.append(Orphan(path, "features without image"))
        else:
            found[match[1]] = path
    masks: dict[str, dict[str, ClassMask]] = {}
    gaps = []
    for id, image in images.items():
        if id in found and id in superpixels:
            masks[id] = {
                name: SuperpixelFeature(superpixels[id], found[id], name) for name in attributes
            }
            continue
        wanted = ((f"{id}{FEATURES_ENDING}", found), (f"{id}_superpixels.png", superpixels))
        missing = " and ".join(name for name, files in wanted if id not in files)
        gaps.append(Gap(image, f"no {missing}, so that its attributes are not known"))
    return AttributeFiles(masks, tuple(orphans), tuple(gaps))


def add_attributes(index: DatasetIndex, parts: Iterable[AttributeFiles]) -> DatasetIndex:
    """Return the index with the attributes of its samples, and with what is wrong with them.

    Gaps of images that are left out of the samples are dropped: these are named already.
    """
    parts = tuple(parts)
    masks = {id: found for part in parts for id, found in part.masks.items()}
    samples = tuple(
        replace(sample, attributes=masks.get(sample.id, {})) for sample in index.samples
    )
    used: Collection[Path] = {sample.image for sample in samples}
    orphans = tuple(orphan for part in parts for orphan in part.orphans)
    gaps = tuple(gap for part in parts for gap in part.gaps if gap.path in used)
    return join([replace(index, samples=samples), DatasetIndex((), orphans, (), gaps)])
