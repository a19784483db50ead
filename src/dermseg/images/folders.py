"""The image files of a folder, or of another storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dermseg.images.formats import HEAD, IMAGE_SUFFIXES, recognise
from dermseg.storage import Folder, Storage, StoredFile

__all__ = ["find_images", "list_images", "may_be_dicom"]


def list_images(storage: Storage, *, recursive: bool = False) -> Iterator[StoredFile]:
    """List the image files of a storage by their suffix, in its order.

    A file with an image's suffix is listed unopened, so that reading it names what is wrong. Those
    without suffix, or with digits in its place, are listed if they are DICOM.

    Args:
        storage: Where to look.
        recursive: Also look in all subfolders.

    Raises:
        UsageError: If the storage is missing or cannot be listed.
    """
    for key in storage.list_keys(recursive=recursive):
        suffix = PurePosixPath(key).suffix.lower()
        file = StoredFile(storage, key)
        if suffix in IMAGE_SUFFIXES or (may_be_dicom(key) and _is_dicom(file)):
            yield file


def may_be_dicom(name: str) -> bool:
    """Whether a name ends as those of DICOM files do: in no suffix, in digits, or in ``.dcm``.

    Example:
        >>> all(map(may_be_dicom, ("IM000001", "1.2.840.10008", "a.dcm")))
        True
        >>> may_be_dicom("a.jpg")
        False
    """
    suffix = PurePosixPath(name).suffix.lower()
    return not suffix or suffix[1:].isdigit() or suffix in (".dcm", ".dicom")


def _is_dicom(file: StoredFile) -> bool:
    try:
        with file.open() as stream:
            format = recognise(stream.read(HEAD))
    except OSError:
        return False
    return format is not None and format.name == "DICOM"


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
