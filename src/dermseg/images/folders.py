"""The image files of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from dermseg.errors import UsageError
from dermseg.images.files import source_name
from dermseg.images.formats import IMAGE_SUFFIXES

__all__ = ["find_images"]


def find_images(folder: str | os.PathLike[str], *, recursive: bool = False) -> list[Path]:
    """List the image files of a folder by their suffix, sorted by path.

    Hidden files and folders are left out, and with them the ``._*`` files that macOS leaves on
    other file systems. Nothing is opened: a file that is no image is listed, and so is a link to
    a file that is gone, so that reading it names it. Linked subfolders are not entered.

    Args:
        folder: Where to look.
        recursive: Also look in all subfolders.

    Raises:
        UsageError: If ``folder``, or a folder in it, is missing or cannot be listed.
    """
    if not Path(folder).is_dir():
        state = "is not a folder" if Path(folder).exists() else "does not exist"
        raise UsageError(f"{source_name(folder)} {state}; give a folder that holds images")
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        found.extend(
            Path(parent, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
        )
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
    return sorted(found)


def _refuse(error: OSError) -> None:
    name = source_name(error.filename)
    raise UsageError(f"the folder {name} cannot be listed: {error.strerror}") from error
