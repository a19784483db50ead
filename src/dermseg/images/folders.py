"""The image files of a folder, or of another storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dermseg.images.formats import IMAGE_SUFFIXES
from dermseg.storage import Folder, Storage, StoredFile

__all__ = ["find_images", "list_images"]


def list_images(storage: Storage, *, recursive: bool = False) -> Iterator[StoredFile]:
    """List the image files of a storage by their suffix, in its order.

    Nothing is opened: a file that is no image is listed, so that reading it names it.

    Args:
        storage: Where to look.
        recursive: Also look in all subfolders.

    Raises:
        UsageError: If the storage is missing or cannot be listed.
    """
    for key in storage.list_keys(recursive=recursive):
        if PurePosixPath(key).suffix.lower() in IMAGE_SUFFIXES:
            yield StoredFile(storage, key)


def find_images(folder: str | os.PathLike[str], *, recursive: bool = False) -> list[Path]:
    """List the image files of a local folder by their suffix, sorted by path.

    Hidden files and folders are left out, and with them the ``._*`` files that macOS leaves on
    other file systems. Linked subfolders are not entered.

    Args:
        folder: Where to look.
        recursive: Also look in all subfolders.

    Raises:
        UsageError: If ``folder``, or a folder in it, is missing or cannot be listed.
    """
    root = Path(folder)
    return [root / file.key for file in list_images(Folder(root), recursive=recursive)]
