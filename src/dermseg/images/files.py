"""Bytes on disk: opening what is to be read, and writing so that no half-written file is seen."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from dermseg.errors import ImageError, OutputError, UsageError

__all__ = [
    "ImageSource",
    "open_source",
    "remove_leftovers",
    "source_name",
    "write_bytes_atomically",
    "write_chunks_atomically",
    "write_reason",
]

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A path, or the bytes of an encoded image, or an open file of them."""


def source_name(source: ImageSource) -> str:
    r"""The path as a person can read it, or a description of bytes.

    Line breaks, terminal codes and bytes that are no text are shown as escapes.

    Example:
        >>> source_name("moles/a.jpg"), source_name(b"abc"), source_name("m\udce4l.jpg")
        ('moles/a.jpg', '<3 bytes>', 'm\\udce4l.jpg')
    """
    if isinstance(source, bytes):
        return f"<{len(source)} bytes>"
    if not isinstance(source, str | os.PathLike):
        return "<open file>"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fspath(source))


@contextlib.contextmanager
def open_source(source: ImageSource) -> Iterator[BinaryIO]:
    """Open a file or bytes for reading.

    Raises:
        ImageError: If the file is missing, empty, a folder, a pipe or a device, or unreadable.
        UsageError: If the source is none of these.
    """
    if isinstance(source, str | os.PathLike):
        with _open_file(Path(source)) as stream:
            yield stream
        return
    content = _read_all(source)
    if not content:
        raise ImageError(source_name(source), "there are no bytes")
    yield io.BytesIO(content)


def _read_all(source: bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if not hasattr(source, "read"):
        message = (
            f"an image is a {type(source).__name__}, expected a path, the bytes of a file, an open "
            "file, an array (H, W, 3) uint8 or a Pillow image"
        )
        raise UsageError(message)
    try:
        content = source.read()
    except (OSError, ValueError) as error:
        raise ImageError(source_name(source), f"it could not be read ({error})") from error
    if not isinstance(content, bytes):
        raise ImageError(source_name(source), "it is open for text; open it with mode 'rb'")
    return content


def _open_file(path: Path) -> BinaryIO:
    try:
        status = path.stat()  # before opening: a pipe without a writer would wait for ever
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(source_name(path), "this is a folder, not an image file")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(source_name(path), "this is a device or a pipe, not a file")
        if status.st_size == 0:
            raise ImageError(source_name(path), "the file is empty")
        return path.open("rb")
    except OSError as error:
        raise ImageError(source_name(path), _read_reason(error)) from error
    except ValueError as error:
        raise ImageError(source_name(path), _NULL_IN_NAME) from error


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
    name = source_name(path)
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
        reason = _NULL_IN_NAME if "\0" in os.fspath(path) else "the path names no file"
        raise OutputError(f"{name}: cannot be written: {reason}") from error


def _is_special(path: Path) -> bool:
    """Whether there is something that is neither a file nor a folder; asked in one step."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed programs left in a folder, not those in its folders.

    Also those of programs that still write there: whoever calls this must be the only one.

    Raises:
        OSError: If a file cannot be removed.
    """
    for leftover in folder.glob(".dermseg-*.tmp"):
        if leftover.is_file():
            leftover.unlink(missing_ok=True)


_NULL_IN_NAME = "the name contains a null character"


def _read_reason(error: OSError) -> str:
    reasons = {
        errno.ENOENT: "there is no such file",
        errno.ENOTDIR: "there is no such file: a part of the path is not a folder",
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.ENAMETOOLONG: "the name is too long for this file system",
        errno.ELOOP: "its links lead in a circle",
    }
    return reasons.get(error.errno or 0, f"it could not be read ({error.strerror or error})")


def write_reason(error: OSError, target: Path) -> str:
    """Say in words why a file could not be written, and what to do."""
    folder = source_name(target.parent)
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
