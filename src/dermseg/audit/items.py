"""The images that are audited, and where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dermseg.datasets import Dataset
from dermseg.types import Split

__all__ = ["Item", "Place", "list_items"]


@dataclass(frozen=True, order=True)
class Place:
    """The place an image belongs to; a lesion in two places is a leak.

    Attributes:
        folder: The dataset's folder.
        part: The part of its split; empty where it has none.
    """

    folder: str
    part: str

    def __str__(self) -> str:
        return f"{self.folder} {self.part}".rstrip()


@dataclass(frozen=True)
class Item:
    """One image of an audited dataset.

    Attributes:
        id: Unique in its dataset.
        path: The image file.
        place: Dataset and part.
        group: The lesion that the dataset says it shows, with the dataset's name, so that two
            copies of a dataset agree; None where the dataset does not say.
    """

    id: str
    path: Path
    place: Place
    group: tuple[str, str] | None


def list_items(datasets: Sequence[Dataset], splits: Sequence[Split | None]) -> list[Item]:
    """List the images of datasets, by dataset and id.

    Args:
        datasets: One or more.
        splits: For each the parts to use; None for a dataset without parts. Images that are in no
            part of a split are left out, as they were on purpose.
    """
    items = []
    for dataset, split in zip(datasets, splits, strict=True):
        parts = {id: part for part, ids in split.parts.items() for id in ids} if split else {}
        for sample in dataset.samples:
            if split is None or sample.id in parts:
                place = Place(str(dataset.root), parts.get(sample.id, ""))
                group = None if sample.group == sample.id else (dataset.name, sample.group)
                items.append(Item(sample.id, sample.image, place, group))
    return items
