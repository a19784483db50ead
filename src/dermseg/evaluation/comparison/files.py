"""Where the images and masks of an evaluation lie."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dermseg.errors import ImageError
from dermseg.images import read_image, read_mask
from dermseg.types import BoolMask, ImageArray

__all__ = ["KnownFiles", "read_files"]

_Read = TypeVar("_Read")
_COLUMNS = ("image", "truth", "prediction")


@dataclass(frozen=True)
class KnownFiles:
    """The files of one image, as far as they are known.

    Attributes:
        image: The image.
        truth: Its true mask.
        prediction: The predicted mask.
    """

    image: Path | None = None
    truth: Path | None = None
    prediction: Path | None = None

    def read_image(self) -> ImageArray | None:
        """Read the image, (H, W, 3) uint8; None where it is unknown or cannot be read."""
        return _read(read_image, self.image)

    def read_truth(self) -> BoolMask | None:
        """Read the true mask, (H, W) bool; None likewise."""
        return _read(read_mask, self.truth)

    def read_prediction(self) -> BoolMask | None:
        """Read the predicted mask, (H, W) bool; None likewise."""
        return _read(read_mask, self.prediction)


def read_files(folder: Path) -> Mapping[str, KnownFiles]:
    """Read ``files.csv`` of an evaluation: the paths of each id, relative ones from the folder.

    Returns:
        The files by id; none where there is no such table or it is damaged, as pictures are an
        extra.
    """
    try:
        with (folder / "files.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return {}
    return {
        row["id"]: KnownFiles(
            **{name: folder / row[name] if row.get(name) else None for name in _COLUMNS}
        )
        for row in rows
        if row.get("id")
    }


def _read(reader: Callable[[Path], _Read], path: Path | None) -> _Read | None:
    if path is None:
        return None
    try:
        return reader(path)
    except ImageError:
        return None
