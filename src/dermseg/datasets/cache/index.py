"""What a cache holds: which rows are whole, and from which files and settings they were made."""

from __future__ import annotations

import contextlib
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dermseg.datasets.pairs import Preparation
from dermseg.images import write_bytes_atomically
from dermseg.recipes import Cleaning

__all__ = ["INDEX", "Index", "Key", "Row", "Settings", "read_index", "write_index"]

INDEX = "index.json"

Key = tuple[str, str]
"""SHA-256 of the image file, and of the mask files of all classes together: the same pixels make
the same row."""

# Another version of these may decode or resize to other values.
_PACKAGES = ("dermseg", "opencv-python-headless", "pillow")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Settings(_Part):
    """What all rows were made with.

    Attributes:
        cleaning: The steps that were on.
        classes: Of the masks, the lowest bit's first.
        crop_margin: What was kept around the lesion; None where images were not cut to it.
        versions: Of dermseg and of the libraries that decode and resize.
    """

    cleaning: Cleaning
    classes: list[str]
    crop_margin: float | None
    versions: dict[str, str]

    @classmethod
    def of(cls, preparation: Preparation) -> Settings:
        """The settings with which this program makes pairs."""
        steps = preparation.cleaning.model_dump(include=set(Cleaning.model_fields))
        return cls(
            cleaning=Cleaning(**steps),
            classes=list(preparation.classes),
            crop_margin=preparation.crop_margin,
            versions={name: metadata.version(name) for name in _PACKAGES},
        )

    @property
    def preparation(self) -> Preparation:
        """What a pair is made of."""
        return Preparation(self.cleaning, tuple(self.classes), self.crop_margin)


class Row(_Part):
    """One pair of image and masks.

    Attributes:
        slot: Number of its row in every array.
        id: The sample's id, for people; a row belongs to whatever has the same contents.
        image: SHA-256 of the image file.
        masks: SHA-256 over the mask files of all classes.
        known: The classes that have a mask; of the others nothing is known.
        checksums: CRC-32 of the row's image and masks, by the name of the network size; a size
            that is not named is not done.
    """

    slot: int
    id: str
    image: str
    masks: str
    known: list[str]
    checksums: dict[str, tuple[int, int]]

    @property
    def key(self) -> Key:
        """What identifies the row."""
        return self.image, self.masks


class Index(_Part):
    """The content of ``index.json``.

    Attributes:
        format: Of the folder.
        settings: What all rows were made with.
        rows: By slot.
    """

    format: Literal[2] = 2
    settings: Settings
    rows: list[Row]


def read_index(folder: Path) -> Index | None:
    """Read the index of a cache; None if there is none, or it is damaged."""
    with contextlib.suppress(OSError, ValidationError):
        return Index.model_validate_json((folder / INDEX).read_bytes())
    return None


def write_index(folder: Path, index: Index) -> None:
    """Replace the index of a cache in one step.

    Raises:
        OutputError: If it cannot be written.
    """
    write_bytes_atomically(folder / INDEX, index.model_dump_json(indent=1).encode())
