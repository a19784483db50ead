"""``--data``, ``--images`` and ``--masks``: where a command takes its images from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from dermseg.errors import UsageError

if TYPE_CHECKING:
    from dermseg.datasets import FolderPair, Source

__all__ = [
    "GroupsOption",
    "ImagesOption",
    "MasksOption",
    "PresenceOption",
    "choose_source",
    "choose_sources",
]

ImagesOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder of images of your own, together with --masks.")
]
MasksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Their masks: NAME.png, NAME_segmentation.png or NAME_mask.png."),
]
GroupsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="CSV with columns id,group or image_id,lesion_id: a group is never split."),
]
PresenceOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="CSV of image-level labels: the column id, and a column of 0 and 1 for each class."
    ),
]


def choose_source(data: Path | None, images: Path | None, masks: Path | None) -> Source:
    """Return the one source that was given.

    Raises:
        UsageError: If none was, both kinds were, or one folder of a pair is missing.
    """
    pair = _pair(images, masks)
    if data is not None and pair is not None:
        message = f"give {data}, or --images and --masks, but not both"
        raise UsageError(message)
    source = data or pair
    if source is None:
        message = "no images: give the folder of a dataset, or --images and --masks"
        raise UsageError(message)
    return source


def choose_sources(
    data: Sequence[Path] | None, images: Path | None, masks: Path | None
) -> list[Source]:
    """Return all the sources that were given; the two folders count as one.

    Raises:
        UsageError: If none was given, or one folder of a pair is missing.
    """
    pair = _pair(images, masks)
    sources: list[Source] = [*(data or []), *([pair] if pair else [])]
    if not sources:
        message = "no images: give --data, the folder of a dataset, or --images and --masks"
        raise UsageError(message)
    return sources


def _pair(images: Path | None, masks: Path | None) -> FolderPair | None:
    from dermseg.datasets import FolderPair

    if images is not None and masks is not None:
        return FolderPair(images, masks)
    if images is not None or masks is not None:
        given, missing = ("--images", "--masks") if images else ("--masks", "--images")
        message = f"{given} {images or masks} was given without {missing}: give both folders"
        raise UsageError(message)
    return None
