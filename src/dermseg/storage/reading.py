"""Read files of bytes, text, JSON and CSV: bounded, and with an error that names the file."""

from __future__ import annotations

import codecs
import csv
import io
import json
import lzma
import math
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from dermseg.csv_text import unquote_cell
from dermseg.errors import DermsegError, UsageError

__all__ = [
    "DAMAGED_ZIP",
    "Refuse",
    "Table",
    "parse_json",
    "read_file",
    "read_json",
    "read_model",
    "read_table",
    "read_text",
]

Refuse: TypeAlias = Callable[[str], DermsegError]
"""Makes the error that is raised, from its message: an error class, for most."""

Model = TypeVar("Model", bound=BaseModel)

DAMAGED_ZIP: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,  # a password, or a feature that is not supported
    UnicodeError,
    OverflowError,
    ValueError,
)
"""What opening a damaged ZIP archive, or reading a member of it, may raise, besides OSError."""

_LARGEST: Final = 1 << 28
"""Bytes of a file that is read into memory; a table of a million images has half of it."""


def read_file(
    path: str | os.PathLike[str], *, refuse: Refuse = UsageError, max_bytes: int = _LARGEST
) -> bytes:
    """Read a regular file of limited size, or the file that a link leads to.

    A pipe without a writer would be waited for, and a device may never end: neither is opened.

    Args:
        path: The file.
        refuse: Makes the error.
        max_bytes: The largest that is read.

    Raises:
        DermsegError: What ``refuse`` makes, if the file is missing, no regular file, too large or
            cannot be read.
    """
    try:
        # Without waiting, in case it becomes a pipe after it was looked at.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise refuse(f"{path}: this is a device or a pipe, expected a file")
            content = file.read(max_bytes + 1)
    except OSError as error:
        reason = "this is a folder, expected a file" if _is_folder(path) else error.strerror
        raise refuse(f"{path}: cannot be read: {reason or error}") from error
    except ValueError as error:  # a null in the name
        raise refuse(f"{path}: this names no file") from error
    if len(content) > max_bytes:
        message = f"{path}: more than {max_bytes:,} bytes, which no such file of ours has"
        raise refuse(message)
    return content


_BINARY = getattr(os, "O_BINARY", 0)


def read_text(path: str | os.PathLike[str], *, refuse: Refuse = UsageError) -> str:
    """Read a text file in UTF-8; a byte order mark at its start is left out.

    Raises:
        DermsegError: What ``refuse`` makes, if the file cannot be read or is not UTF-8.
    """
    try:
        return read_file(path, refuse=refuse).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"{path}: not text in UTF-8 ({error.reason})") from error


def read_json(path: str | os.PathLike[str], *, refuse: Refuse = UsageError) -> Any:  # noqa: ANN401
    """Read a JSON file; numbers are finite.

    Raises:
        DermsegError: What ``refuse`` makes, if the file cannot be read or is not such JSON.
    """
    content = read_file(path, refuse=refuse)
    try:
        return parse_json(content)
    except ValueError as error:
        raise refuse(f"{path}: not JSON: {error}") from error


def parse_json(content: bytes) -> Any:  # noqa: ANN401
    """Parse JSON in UTF-8; NaN, infinity and text of no end are refused as any other mistake.

    Raises:
        ValueError: If it is not such JSON.
    """
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error


def read_model(
    path: str | os.PathLike[str], kind: type[Model], *, what: str, refuse: Refuse = UsageError
) -> Model:
    """Read a JSON file into a pydantic model.

    Args:
        path: The file.
        kind: The model.
        what: The file, as messages call it, for example ``the record of a run``.
        refuse: Makes the error.

    Raises:
        DermsegError: What ``refuse`` makes, if the file cannot be read or does not hold it.
    """
    content = read_file(path, refuse=refuse)
    try:
        parse_json(content)  # whose numbers are finite; pydantic takes others
        return kind.model_validate_json(content.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where + ': ' if where else ''}{first['msg']}"
    except ValueError as error:
        reason = str(error)
    message = f"{path}: not {what}: {reason}"
    raise refuse(message)


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file.

    Attributes:
        path: The file.
        columns: Their names, each once.
        rows: As many cells each as there are columns.
        lines: Where each row ends, counted from 1.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Where each row is, for messages, and its cells by column."""
        for line, row in zip(self.lines, self.rows, strict=True):
            yield f"{self.path}, line {line}", dict(zip(self.columns, row, strict=True))


def read_table(
    path: str | os.PathLike[str],
    *,
    what: str,
    refuse: Refuse = UsageError,
    may_be_short: bool = False,
    may_hold_any_name: bool = False,
) -> Table:
    """Read a CSV file in UTF-8 whose first row names the columns.

    Args:
        path: The file.
        what: The table, as messages call it.
        refuse: Makes the error.
        may_be_short: Whether cells may lack at the end of a row; they are then empty.
        may_hold_any_name: Whether bytes that are no text are kept, as names of files may hold them.

    Raises:
        DermsegError: What ``refuse`` makes, if the file cannot be read or is not CSV, a column's
            name occurs twice, or a row has more or fewer cells than the header.
    """
    content = read_file(path, refuse=refuse)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    try:
        text = content.decode("utf-8-sig", "surrogateescape" if may_hold_any_name else "strict")
        if "\0" in text:
            raise refuse(f"{path}: {what} is not CSV in UTF-8: it holds null characters")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        for cells in filter(None, reader):
            rows.append(tuple(map(unquote_cell, cells)))
            lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise refuse(f"{path}: {what} is not CSV in UTF-8: {error}") from error
    header = rows[0] if rows else ()
    if len(set(header)) < len(header):
        raise refuse(f"{path}: {what} has two columns of one name: {', '.join(header)}")
    for place, row in enumerate(rows):
        if len(row) < len(header) and may_be_short:
            rows[place] = (*row, *[""] * (len(header) - len(row)))
        elif len(row) != len(header):
            message = (
                f"{path}, line {lines[place]}: {what} has {len(row)} cells there, expected "
                f"{len(header)}: {', '.join(header)}"
            )
            raise refuse(message)
    return Table(Path(path), header, tuple(rows[1:]), tuple(lines[1:]))


def _is_folder(path: str | os.PathLike[str]) -> bool:
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except OSError:
        return False


def _finite(text: str) -> float:
    value = float(text.removesuffix("inity"))
    if not math.isfinite(value):
        message = f"{text} is no finite number"
        raise ValueError(message)
    return value
