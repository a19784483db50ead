"""Pairing images and masks by id, never by the order of two listings."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from dermseg.datasets.base import DatasetIndex, Orphan
from dermseg.datasets.identity import normal_id
from dermseg.errors import DatasetError
from dermseg.images import find_images
from dermseg.types import Sample

__all__ = ["files_by_id", "find_masks", "join", "mask_id", "pair"]

# The official scorer takes the second for predictions.
_MASK_ENDING = re.compile(r"(_segmentation|_segmentation_prediction|_mask)$", re.IGNORECASE)
# What a prediction writes beside its masks.
_NOT_MASKS = ("_overlay", "_probability")


def find_masks(folder: Path) -> list[Path]:
    """List the mask files directly in a folder, sorted by name.

    Overlays and probability maps, which a prediction writes beside its masks, are left out.
    """
    return [path for path in find_images(folder) if not path.stem.endswith(_NOT_MASKS)]


def mask_id(path: Path, known: Collection[str] = ()) -> str:
    """Return the id of the image that a mask file belongs to.

    Args:
        path: ``NAME_segmentation``, ``NAME_segmentation_prediction``, ``NAME_mask``, in upper or
            lower case, or ``NAME``, any suffix.
        known: Ids that exist. A file named exactly like one of them belongs to it, even where
            the name ends like a mask's.

    Example:
        >>> mask_id(Path("ISIC_0000000_segmentation.png"))
        'ISIC_0000000'
        >>> mask_id(Path("skin_mask.png"), known={"skin_mask"})
        'skin_mask'
    """
    id = normal_id(path.stem)
    return id if id in known else _MASK_ENDING.sub("", id)


def files_by_id(paths: Iterable[Path], identify: Callable[[Path], str]) -> dict[str, Path]:
    """Key files by their id.

    Raises:
        DatasetError: If two files have the same id.
    """
    files: dict[str, Path] = {}
    for path in paths:
        name = normal_id(identify(path))
        if name in files:
            raise DatasetError(
                f"two files have the id '{name}': {files[name]} and {path}. Keep one of them."
            )
        files[name] = path
    return files


def pair(
    images: Mapping[str, Path], masks: Mapping[str, Path] | None, *, part: str | None = None
) -> DatasetIndex:
    """Pair images and masks that have the same id; the id is also the group.

    Args:
        images: Image files by id.
        masks: Mask files by id; None where there is no truth at all, which makes samples without
            a mask instead of orphans.
        part: The official part that all of them belong to.
    """
    if masks is None:
        bare = (Sample(id, images[id], None, group=id, part=part) for id in sorted(images))
        return DatasetIndex(tuple(bare))
    both = sorted(images.keys() & masks.keys())
    samples = (Sample(id, images[id], masks[id], group=id, part=part) for id in both)
    orphans = [Orphan(images[id], "image without mask") for id in images.keys() - masks.keys()]
    orphans += [Orphan(masks[id], "mask without image") for id in masks.keys() - images.keys()]
    return DatasetIndex(tuple(samples), tuple(sorted(orphans, key=lambda orphan: orphan.path)))


def join(indexes: Iterable[DatasetIndex]) -> DatasetIndex:
    """Put the parts of a dataset together.

    Raises:
        DatasetError: If an id is in two parts.
    """
    indexes = tuple(indexes)
    samples: dict[str, Sample] = {}
    for sample in (sample for index in indexes for sample in index.samples):
        if sample.id in samples:
            other = samples[sample.id].image
            raise DatasetError(
                f"the id '{sample.id}' is in two parts: {other} and {sample.image}. "
                f"Remove it from one of them."
            )
        samples[sample.id] = sample
    orphans = (orphan for index in indexes for orphan in index.orphans)
    problems = (problem for index in indexes for problem in index.table_problems)
    gaps = (gap for index in indexes for gap in index.gaps)
    return DatasetIndex(
        tuple(samples[id] for id in sorted(samples)),
        tuple(sorted(orphans, key=lambda orphan: orphan.path)),
        tuple(problems),
        tuple(sorted(gaps, key=lambda gap: gap.path)),
        next((index.ungrouped for index in indexes if index.ungrouped), ""),
    )
