"""A ZIP archive as storage, to read from."""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from dermseg.errors import UsageError
from dermseg.storage.reading import DAMAGED_ZIP

__all__ = ["Archive"]

_LARGEST_MEMBER: Final = 500_000_000
_FAULTS = (*DAMAGED_ZIP, OSError)


class Archive:
    """A ZIP archive: see :class:`Storage`. It stays open for as long as it is used.

    Args:
        path: The file.

    Raises:
        UsageError: If it cannot be opened, or a member would unpack to more than 500 MB.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._opened = zipfile.ZipFile(path)
        except _FAULTS as error:
            raise UsageError(f"{path}: the archive cannot be opened ({error})") from error
        for member in self._opened.infolist():
            if member.file_size > _LARGEST_MEMBER:
                message = (
                    f"{path}: {member.filename} would take {member.file_size:,} bytes; expected "
                    f"at most {_LARGEST_MEMBER:,}"
                )
                raise UsageError(message)

    def locate(self, key: str) -> str:
        """The path of the archive, and the key in it."""
        return f"{self.path}/{key}"

    def list_keys(self, *, recursive: bool = False) -> Iterator[str]:
        """List the keys, sorted; hidden members and those that macOS adds are left out."""
        for key in sorted(self._opened.namelist()):
            # Windows' own tools write backslashes.
            *folders, name = PurePosixPath(key.replace("\\", "/")).parts or ("",)
            is_hidden = any(part.startswith(".") or part == "__MACOSX" for part in (*folders, name))
            if name and key[-1] not in "/\\" and not is_hidden and (recursive or not folders):
                yield key

    def open(self, key: str) -> BinaryIO:
        """Unpack a member.

        Raises:
            OSError: If there is none, or it is damaged or encrypted.
        """
        try:
            return io.BytesIO(self._opened.read(key))
        except KeyError as error:
            raise FileNotFoundError(errno.ENOENT, "no such member", key) from error
        except _FAULTS as error:
            raise OSError(f"it cannot be unpacked ({error})") from error

    def exists(self, key: str) -> bool:
        """Whether there is such a member."""
        return key in self._opened.NameToInfo

    def is_other(self, key: str, location: str) -> bool:
        """Whether a location names another member that is there."""
        other = location.removeprefix(f"{self.path}/")
        return other not in (key, location) and self.exists(other)
