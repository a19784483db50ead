"""Files that grow line by line while a run goes on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from dermseg.errors import OutputError
from dermseg.storage.files import write_chunks_atomically

__all__ = ["AppendedFile"]


class AppendedFile:
    """An open file; what is added is handed to the system at once.

    Args:
        path: The file, replaced if it is there.
        start: What it begins with, from an earlier run.

    Raises:
        OutputError: If the file cannot be written.
    """

    def __init__(self, path: Path, start: Iterable[bytes] = ()) -> None:
        self.path = path
        write_chunks_atomically(path, start)
        # Without a buffer, so that closing after a failed write has nothing left that can fail.
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, line: bytes) -> None:
        """Append a line.

        Raises:
            OutputError: If the disk is full or the folder gone.
        """
        try:
            while line:  # a disk that is nearly full takes a part
                line = line[self._file.write(line) :]
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror}")
