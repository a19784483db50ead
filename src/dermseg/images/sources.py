"""The bytes of an encoded image, wherever they are."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from dermseg.errors import ImageError, UsageError
from dermseg.storage import Folder, StoredFile, printable_path, read_reason
from dermseg.storage.files import NULL_IN_NAME

__all__ = ["ImageSource", "open_source", "source_name"]

ImageSource: TypeAlias = str | os.PathLike[str] | StoredFile | bytes | BinaryIO
"""A path, a file of a storage, the bytes of an encoded image, or an open file of them."""


def source_name(source: ImageSource) -> str:
    """The path as a person can read it, or a description of bytes.

    Example:
        >>> source_name("moles/a.jpg"), source_name(b"abc")
        ('moles/a.jpg', '<3 bytes>')
    """
    if isinstance(source, bytes):
        return f"<{len(source)} bytes>"
    if isinstance(source, StoredFile):
        return printable_path(str(source))
    if not isinstance(source, str | os.PathLike):
        return "<open file>"
    return printable_path(source)


@contextlib.contextmanager
def open_source(source: ImageSource) -> Iterator[BinaryIO]:
    """Open a file or bytes for reading.

    Raises:
        ImageError: If the file is missing, empty, a folder, a pipe or a device, or unreadable.
        UsageError: If the source is none of these.
    """
    name = source_name(source)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        source = StoredFile(Folder(path.parent), path.name)
    if isinstance(source, StoredFile):
        with _open_file(source, name) as stream:
            yield stream
        return
    content = _read_all(source)
    if not content:
        raise ImageError(name, "there are no bytes")
    yield io.BytesIO(content)


def _open_file(file: StoredFile, name: str) -> BinaryIO:
    try:
        stream = file.open()
        is_empty = not stream.seek(0, os.SEEK_END)
        stream.seek(0)
    except OSError as error:
        raise ImageError(name, read_reason(error)) from error
    except ValueError as error:
        raise ImageError(name, NULL_IN_NAME) from error
    if is_empty:
        stream.close()
        raise ImageError(name, "the file is empty")
    return stream


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
    except Exception as error:
        raise ImageError(source_name(source), f"it could not be read ({error})") from error
    if not isinstance(content, bytes):
        raise ImageError(source_name(source), "it is open for text; open it with mode 'rb'")
    return content
