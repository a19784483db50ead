"""A folder of the local file system as storage."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dermseg.errors import OutputError, UsageError
from dermseg.storage.base import Sink, Storage, StoredFile
from dermseg.storage.files import (
    AppendedFile,
    open_file,
    printable_path,
    remove_leftovers,
    write_bytes_atomically,
    write_chunks_atomically,
    write_reason,
)
from dermseg.storage.locking import LOCK

__all__ = ["Folder", "Location", "open_location", "open_sink"]

Location = str | os.PathLike[str] | Storage
"""A path, or a storage."""


@dataclass(frozen=True)
class Folder:
    """A local folder, which need not exist yet: see :class:`Storage` and :class:`Sink`.

    Attributes:
        root: Its path.

    Example:
        >>> Folder(Path("moles")).locate("left/arm.jpg")
        'moles/left/arm.jpg'
    """

    root: Path

    def locate(self, key: str) -> str:
        """The path of a file."""
        return str(self.root / key)

    def list_keys(self, *, recursive: bool = False) -> Iterator[str]:
        """List the keys by path. Linked subfolders are not entered.

        A link to a file that is gone is listed, so that reading it names it.

        Raises:
            UsageError: If the folder, or a folder in it, is missing or cannot be listed.
        """
        if not self.root.is_dir():
            state = "is not a folder" if self.root.exists() else "does not exist"
            message = f"{printable_path(self.root)} {state}; give a folder that holds images"
            raise UsageError(message)
        found: list[PurePosixPath] = []
        for parent, folders, files in os.walk(self.root, onerror=_refuse):
            below = PurePosixPath(Path(parent).relative_to(self.root).as_posix())
            found.extend(below / name for name in files if not name.startswith("."))
            folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        return map(str, sorted(found))

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            OSError: If it is missing, not readable, a folder, a pipe or a device.
        """
        return open_file(self.root / key)

    def exists(self, key: str) -> bool:
        """Whether there is a file, or anything else, of this name."""
        return (self.root / key).exists()

    def is_other(self, key: str, location: str) -> bool:
        """Whether a path names another file that is there, not this one in another spelling."""
        other = Path(location)
        return other.exists() and not other.samefile(self.root / key)

    def prepare(self, folders: Iterable[str] = ()) -> None:
        """Make the folder and those in it, and remove the temporary files of killed programs.

        Raises:
            UsageError: If it is a file.
            OutputError: If a folder cannot be made or written.
        """
        if self.root.exists() and not self.root.is_dir():
            message = f"{self.root} is a file: give a folder for the masks"
            raise UsageError(message)
        try:
            for folder in {self.root, *(self.root / key for key in folders)}:
                folder.mkdir(parents=True, exist_ok=True)
                remove_leftovers(folder)
        except OSError as error:
            message = f"{self.root}: the folder cannot be made or written: {error.strerror}"
            raise OutputError(message) from error

    def is_empty(self) -> bool:
        """Whether nothing is in the folder, or it is not there, or is no folder.

        Raises:
            UsageError: If the folder cannot be listed.
        """
        try:
            names = [path.name for path in self.root.iterdir()] if self.root.is_dir() else []
            return not set(names) - {LOCK}
        except OSError as error:
            message = f"{self.root} cannot be read: {error.strerror}"
            raise UsageError(message) from error

    def write(self, key: str, content: bytes | Iterator[bytes]) -> None:
        """Write a file, see :func:`write_bytes_atomically`.

        Raises:
            OutputError: If it cannot be written.
        """
        if isinstance(content, bytes):
            write_bytes_atomically(self.root / key, content)
        else:
            write_chunks_atomically(self.root / key, content)

    def append(self, key: str, start: Iterable[bytes] = ()) -> AppendedFile:
        """Begin a file that grows; each line is handed to the system at once.

        Raises:
            OutputError: If it cannot be written.
        """
        return AppendedFile(self.root / key, start)

    def remove(self, key: str) -> None:
        """Remove a file; nothing happens if there is none.

        Raises:
            OutputError: If it cannot be removed.
        """
        path = self.root / key
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            message = f"{printable_path(path)}: cannot be removed: {write_reason(error, path)}"
            raise OutputError(message) from error


def open_location(location: Location) -> Storage | StoredFile:
    """The storage, or the one file, that a location names.

    Raises:
        UsageError: If there is nothing, or it is of a kind that is not supported.
    """
    if isinstance(location, Storage):
        return location
    path = _local_path(location)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        reason = "no such file or folder" if missing else error.strerror
        message = f"{path}: {reason}"
        raise UsageError(message) from error
    return Folder(path) if is_folder else StoredFile(Folder(path.parent), path.name)


def open_sink(location: Location) -> Sink:
    """The storage that results go to; a folder need not exist yet.

    Raises:
        UsageError: If nothing can be written there.
    """
    if isinstance(location, Sink):
        return location
    if isinstance(location, Storage):
        message = f"{location} can only be read: choose another place for the results"
        raise UsageError(message)
    return Folder(_local_path(location))


def _local_path(location: str | os.PathLike[str]) -> Path:
    """Other kinds of places are told from paths here, by their scheme."""
    text = os.fspath(location)
    if "://" in text:
        message = f"{text} is no local path, and nothing else is supported: give a file or a folder"
        raise UsageError(message)
    return Path(location)


def _refuse(error: OSError) -> None:
    name = printable_path(error.filename)
    raise UsageError(f"the folder {name} cannot be listed: {error.strerror}") from error
