"""Files on disk: opened without surprises, and written so that no half-written one is seen."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from dermseg.errors import OutputError, one_line

__all__ = [
    "NULL_IN_NAME",
    "AppendedFile",
    "make_folder",
    "open_file",
    "printable_path",
    "read_reason",
    "remove_leftovers",
    "write_bytes_atomically",
    "write_chunks_atomically",
    "write_reason",
]

NULL_IN_NAME: Final = "the name contains a null character"


def printable_path(path: str | os.PathLike[str]) -> str:
    r"""The path as a person can read it.

    Line breaks, terminal codes and bytes that are no text are shown as escapes.

    Example:
        >>> printable_path("moles/a.jpg"), printable_path("m\udce4l.jpg")
        ('moles/a.jpg', 'm\\udce4l.jpg')
    """
    return one_line(os.fspath(path))


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: If it is missing, a folder, a pipe or a device, or not readable; see
            :func:`read_reason`.
        ValueError: If the name contains a null character.
    """
    mode = path.stat().st_mode  # before opening: a pipe without a writer would wait for ever
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), str(path))
    return path.open("rb")


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in, unless it is there.

    Raises:
        OutputError: If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made: {error.strerror}") from error


def write_bytes_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` so that the name never holds a part of it.

    The bytes go to a hidden temporary file in the same folder, which then takes the name. An
    existing file is replaced; a link is replaced, not followed. When anything fails, or the
    process is interrupted, the old content stays and the temporary file is removed; a process
    that is killed leaves the old content and may leave ``.dermseg-*.tmp``, see
    :func:`remove_leftovers`. After a power failure the file may be empty or cut off, since nothing
    waits for the disk.

    Args:
        path: The file to write; its folder must exist.
        data: All of its content.

    Raises:
        OutputError: If the disk is full, the folder is missing or not writable, or ``path`` is a
            folder or a device. The message names the path and the reason.
    """
    write_chunks_atomically(path, (data,))


def write_chunks_atomically(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> None:
    """:func:`write_bytes_atomically` for more than fits memory, written as it is made.

    Raises:
        OutputError: As there.
    """
    name = printable_path(path)
    target = Path(path)
    try:
        # Replacing a device such as /dev/null with a file would break the machine for everyone.
        if _is_special(target):
            raise OutputError(f"{name}: cannot be written: this is a device or a pipe, not a file")
        # The name does not build on the final one, which may already be as long as names can be.
        temporary = target.with_name(f".dermseg-{secrets.token_hex(8)}.tmp")
        try:
            # Not from tempfile, whose files nobody but their owner may read.
            with temporary.open("xb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
            temporary.replace(target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = write_reason(error, target)
        raise OutputError(f"{name}: cannot be written: {reason}") from error
    except ValueError as error:  # from a null in the path, or a path without a name such as "."
        reason = NULL_IN_NAME if "\0" in os.fspath(path) else "the path names no file"
        raise OutputError(f"{name}: cannot be written: {reason}") from error


def _is_special(path: Path) -> bool:
    """Whether there is something that is neither a file nor a folder; asked in one step."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


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
        try:
            is_there = os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except OSError:
            is_there = False
        self._file.close()
        if error is None and not is_there:
            message = f"{self.path}: was removed or replaced while it was being written"
            raise OutputError(message)

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


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed programs left in a folder, not those in its folders.

    Also those of programs that still write there: whoever calls this must be the only one.

    Raises:
        OSError: If a file cannot be removed.
    """
    for leftover in folder.glob(".dermseg-*.tmp"):
        if leftover.is_file():
            leftover.unlink(missing_ok=True)


def read_reason(error: OSError) -> str:
    """Say in words why a file could not be read; an error without a number says so itself."""
    reasons = {
        errno.EISDIR: "this is a folder, not an image file",
        errno.ENODEV: "this is a device or a pipe, not a file",
        errno.ENOENT: "there is no such file",
        errno.ENOTDIR: "there is no such file: a part of the path is not a folder",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.ENAMETOOLONG: "the name is too long for this file system",
        errno.ELOOP: "its links lead in a circle",
    }
    if error.errno is None:
        return str(error)
    return reasons.get(error.errno, f"it could not be read ({error.strerror or error})")


def write_reason(error: OSError, target: Path) -> str:
    """Say in words why a file could not be written, and what to do."""
    folder = printable_path(target.parent)
    reasons = {
        errno.ENOSPC: "the disk is full; free some space or choose another folder",
        errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
        errno.EFBIG: "the file would be larger than the system allows",
        errno.ENOENT: f"there is no folder {folder}; create it first",
        errno.ENOTDIR: f"{folder} is not a folder",
        errno.EISDIR: "there is a folder of this name",
        errno.EACCES: f"no permission to write in {folder}; choose another folder",
        errno.EPERM: f"no permission to write in {folder}; choose another folder",
        errno.EROFS: f"{folder} is on a read-only file system; choose another folder",
        errno.ENAMETOOLONG: "the name is too long for this file system",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))
