"""The interface of all places of images, masks and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable

__all__ = ["Appender", "Sink", "Storage", "StoredFile"]


@runtime_checkable
class Storage(Protocol):
    """A place that files are read from.

    A file has a key: its path in there, with ``/`` between the parts. Threads may read at once.
    """

    def locate(self, key: str) -> str:
        """Return the location of a file, as in messages and in the column ``file`` of tables."""
        ...

    def list_keys(self, *, recursive: bool = False) -> Iterator[str]:
        """List the keys, hidden files and folders left out, in an order that stays the same.

        Raises:
            UsageError: If the place is missing, or cannot be listed.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading; the stream can seek.

        A place that is slow to seek in returns an ``io.BytesIO`` of the whole file.

        Raises:
            OSError: If there is no such file (``FileNotFoundError``), or it cannot be read: with
                the number of a system's error, or the reason in words alone.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is something under this key, whole or not."""
        ...

    def is_other(self, key: str, location: str) -> bool:
        """Whether a location names a file that is there, and another one than this."""
        ...


@runtime_checkable
class Sink(Storage, Protocol):
    """A place that files are also written to. Threads may write at once, under different keys."""

    def prepare(self, folders: Iterable[str] = ()) -> None:
        """Make the place ready before anything is written.

        What interrupted runs left half written is removed, so a run must be the only one.

        Args:
            folders: Keys of the folders that files will be written to, besides the place itself.

        Raises:
            UsageError: If the place cannot hold files.
            OutputError: If it cannot be made or written.
        """
        ...

    def is_empty(self) -> bool:
        """Whether there is nothing in it, or no such place yet.

        Raises:
            UsageError: If that cannot be told.
        """
        ...

    def write(self, key: str, content: bytes | Iterator[bytes]) -> None:
        """Write a file whole or not at all; one that is there is replaced.

        Args:
            key: The file.
            content: All of it, or its parts, where it may not fit memory.

        Raises:
            OutputError: If it cannot be written. The old file, if any, is still there.
        """
        ...

    def append(self, key: str, start: Iterable[bytes] = ()) -> Appender:
        """Begin a file that grows line by line; one that is there is replaced.

        Args:
            key: The file.
            start: Lines that it begins with.

        Raises:
            OutputError: If it cannot be written.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove a file; nothing happens if there is none.

        Raises:
            OutputError: If it cannot be removed.
        """
        ...


class Appender(Protocol):
    """An open file that grows; what was added can be read even if the program is then killed."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        ...

    def add(self, line: bytes) -> None:
        """Append a line.

        Raises:
            OutputError: If it cannot be written.
        """
        ...


@dataclass(frozen=True)
class StoredFile:
    """One file of a storage.

    Attributes:
        storage: Where it is.
        key: Which it is.
    """

    storage: Storage
    key: str

    def __str__(self) -> str:
        """Its location."""
        return self.storage.locate(self.key)

    @property
    def name(self) -> str:
        """The last part of its key."""
        return PurePosixPath(self.key).name

    @property
    def id(self) -> PurePosixPath:
        """The key without the suffix: names an image, and what is made of it, in every run."""
        return PurePosixPath(self.key).with_suffix("")

    def open(self) -> BinaryIO:
        """Open it for reading, see :meth:`Storage.open`."""
        return self.storage.open(self.key)

    def read_bytes(self) -> bytes:
        """All of its content; raises what :meth:`Storage.open` raises."""
        with self.open() as stream:
            return stream.read()
